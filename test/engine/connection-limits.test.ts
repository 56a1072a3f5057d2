// How many sessions and handshakes an address may have.
import assert from "node:assert/strict";
import { Engine } from "@tidewire/engine";
import type { LimitReport } from "@tidewire/engine";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";
import { openLegacyWebSocket } from "../support/engine/legacy-peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { pair } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { next } from "../support/waiting/events.ts";

const POLLING = "transport=polling";
const WEBSOCKET = "transport=websocket";
const CROWDED = "Too many connections from this address";

async function closedBy(server: StartedEngine, session: Session): Promise<void> {
  session.close(true);
  await server.closed(session);
}

function from(address: string): { headers: Record<string, string> } {
  return { headers: { "x-forwarded-for": address } };
}

onEveryHost("connectionsPerIp", engineHosts, (host) => {
  host.it("refuses further handshakes with 429, over both transports, until a session ends", async () => {
    await using server = await host.start({ limits: { connectionsPerIp: 2 } });
    const reports: LimitReport[] = [];
    server.engine.on("limit_exceeded", (report: LimitReport) => reports.push(report));
    const peer = await PollingPeer.open(server);
    await openWebSocket(server);
    const plain = await server.client.get(server.path(POLLING));
    assert.equal(plain.status, 429);
    assert.equal(plain.body, JSON.stringify({ code: 4, message: CROWDED }));
    assert.equal(plain.headers["retry-after"], "1");
    const upgrade = await server.client.refused(server.path(WEBSOCKET));
    assert.deepEqual([upgrade.status, upgrade.body], [429, CROWDED]);
    const { code, message, context } = await server.nextError();
    const address = "127.0.0.1";
    assert.deepEqual([code, message], [4, "Forbidden"]);
    assert.deepEqual(context, { message: CROWDED, name: "TOO_MANY_CONNECTIONS", limit: 2, address });
    assert.deepEqual(reports, [{ code: "TOO_MANY_CONNECTIONS", limit: 2, address, times: 1 }]);
    await closedBy(server, peer.session);
    await openWebSocket(server);
    assert.equal((await server.client.get(server.path(POLLING))).status, 429);
  });

  host.it("counts a session once that changes its transport", async () => {
    await using server = await host.start({ limits: { connectionsPerIp: 1 } });
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    const upgraded = next(peer.session, "upgrade");
    socket.sendText("5");
    await upgraded;
    assert.equal((await server.client.get(server.path(POLLING))).status, 429);
    await closedBy(server, peer.session);
    await PollingPeer.open(server);
  });

  host.it("counts the sessions of protocol 3", async () => {
    await using server = await host.start({ allowEIO3: true, limits: { connectionsPerIp: 1 } });
    await openLegacyWebSocket(server);
    assert.equal((await server.client.get(server.path(POLLING))).status, 429);
  });

  host.it("counts by what a trusted proxy says", async () => {
    await using server = await host.start({ limits: { connectionsPerIp: 1, trustProxy: ["127.0.0.1"] } });
    await PollingPeer.open(server, from("203.0.113.7"));
    assert.equal((await server.client.get(server.path(POLLING), from("203.0.113.7"))).status, 429);
    await openWebSocket(server, from("203.0.113.8"));
    assert.equal((await server.client.refused(server.path(WEBSOCKET), from("203.0.113.8"))).status, 429);
  });

  host.it("does not read headers that any client may send", async () => {
    await using server = await host.start({ limits: { connectionsPerIp: 1 } });
    await PollingPeer.open(server, from("203.0.113.7"));
    assert.equal((await server.client.get(server.path(POLLING), from("203.0.113.8"))).status, 429);
  });

  host.it("looks again when a hook has decided", async () => {
    const admit: (() => void)[] = [];
    let asked = (): void => {};
    const both = new Promise<void>((resolve) => (asked = resolve));
    await using server = await host.start({
      limits: { connectionsPerIp: 1 },
      allowRequest: (_req, done) => {
        admit.push(() => done(null, true));
        if (admit.length === 2) asked();
      },
    });
    const answers = [1, 2].map(() => server.client.get(server.path(POLLING)));
    await both;
    for (const each of admit) each();
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 429],
    );
  });
});

onEveryHost("handshakesPerSecond", engineHosts, (host) => {
  host.it("lets a burst in, and refuses the others with 429", async () => {
    await using server = await host.start({ limits: { handshakesPerSecond: { rate: 0.001, burst: 2 } } });
    const peer = await PollingPeer.open(server);
    await openWebSocket(server);
    assert.equal((await server.client.get(server.path(POLLING))).status, 429);
    const { context } = await server.nextError();
    assert.equal(context?.["name"], "TOO_MANY_HANDSHAKES");
    // Requests of an open session are no handshakes.
    await peer.send("4hello");
  });

  host.it("counts each address for itself, or all together", async () => {
    for (const [per, status] of [
      ["ip", 200],
      ["server", 429],
    ] as const) {
      const limits = { handshakesPerSecond: { rate: 0.001, burst: 1, per }, trustProxy: true };
      await using server = await host.start({ limits });
      await PollingPeer.open(server, from("203.0.113.7"));
      assert.equal((await server.client.get(server.path(POLLING), from("203.0.113.7"))).status, 429);
      assert.equal((await server.client.get(server.path(POLLING), from("203.0.113.8"))).status, status);
    }
  });
});

onEveryHost("a refused handshake", serverHosts, (host) => {
  for (const transport of ["polling", "websocket"] as const) {
    it(`makes the official client try again until it is let in, over ${transport}`, async () => {
      await using running = await host.start({ limits: { connectionsPerIp: 1 } });
      const { socket } = await pair(running);
      const reported = next<[LimitReport]>(running.io, "limit_exceeded");
      const late = running.client({ transports: [transport], reconnection: true, reconnectionDelay: 10 });
      await next(late, "connect_error");
      assert.equal((await reported)[0].code, "TOO_MANY_CONNECTIONS");
      const connected = next(late, "connect");
      socket.disconnect(true);
      await connected;
    });
  }
});

describe("limits of connections", () => {
  it("are off by default", () => {
    assert.equal(new Engine().addressLimits, undefined);
    assert.equal(new Engine({ limits: { trustProxy: true } }).addressLimits, undefined);
  });

  for (const [option, limits] of [
    ["limits.connectionsPerIp", { connectionsPerIp: "many" }],
    ["limits.handshakesPerSecond", { handshakesPerSecond: "fast" }],
    ["limits.handshakesPerSecond.per", { handshakesPerSecond: { rate: 1, per: "client" } }],
    ["limits.trustProxy", { trustProxy: ["10.0.0.0/99"] }],
    ["limits.trustProxy", { trustProxy: "loopback" }],
  ] as const) {
    it(`are checked: ${JSON.stringify(limits)}`, () => {
      assert.throws(() => new Engine({ limits: limits as object }), { code: "INVALID_OPTION", option });
    });
  }
});
