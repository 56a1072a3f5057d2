import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Session } from "../support/engine/types.ts";
import { collectGarbage } from "../support/process/garbage.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

/** Sessions, their transports and their requests: all that must not outlive a connection. */
class Remains {
  readonly #refs: { kind: string; ref: WeakRef<object> }[] = [];

  watch(server: StartedEngine): void {
    server.engine.on("connection", (session: Session) => {
      this.#add("session", session);
      this.#add("transport", session.transport);
      this.#add("request", session.request);
      session.once("upgrading", (transport: object) => this.#add("upgraded transport", transport));
    });
  }

  get count(): number {
    return this.#refs.length;
  }

  /** How many of each kind are still reachable after several collections. */
  async alive(): Promise<Record<string, number>> {
    let kinds: string[] = [];
    for (let round = 0; round < 20; round++) {
      await turn();
      await new Promise((resolve) => setTimeout(resolve, 10));
      collectGarbage();
      kinds = this.#refs.filter(({ ref }) => ref.deref() !== undefined).map(({ kind }) => kind);
      if (kinds.length === 0) {
        break;
      }
    }
    const counts: Record<string, number> = {};
    for (const kind of kinds) {
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  #add(kind: string, value: object): void {
    this.#refs.push({ kind, ref: new WeakRef(value) });
  }
}

async function open(server: StartedEngine): Promise<string> {
  const { body } = await server.client.get(server.path("transport=polling"));
  return (JSON.parse(body.slice(1)) as { sid: string }).sid;
}

/** Handshake, upgrade, a message each way, and an end of one kind or another. */
async function wholeRound(server: StartedEngine, round: number): Promise<void> {
  const sid = await open(server);
  const socket = await server.client.websocket(server.path(`transport=websocket&sid=${sid}`));
  socket.sendText("2probe");
  await socket.next();
  socket.sendText("5");
  socket.sendText("4ping");
  await socket.next();
  if (round % 3 === 0) {
    socket.close();
  } else if (round % 3 === 1) {
    socket.reset();
  } else {
    server.engine.clients[sid]?.close();
  }
  await socket.closed;
}

/** An upgrade that is begun and left, in one of several ways; the session is closed or times out. */
async function abandonedUpgrade(server: StartedEngine, round: number): Promise<void> {
  const sid = await open(server);
  const socket = await server.client.websocket(server.path(`transport=websocket&sid=${sid}`));
  if (round % 2 === 0) {
    socket.sendText("2probe");
    await socket.next();
  }
  if (round % 4 < 2) {
    socket.reset();
  } else {
    await server.client.post(server.path(`transport=polling&sid=${sid}`), "1");
  }
  await socket.closed;
}

/** Upgrades that stop after the probe, until the server ends them. A function, so that nothing here holds the clients. */
async function unfinishedUpgrades(server: StartedEngine, count: number): Promise<void> {
  const begin = async (): Promise<void> => {
    const sid = await open(server);
    const socket = await server.client.websocket(server.path(`transport=websocket&sid=${sid}`));
    socket.sendText("2probe");
    await socket.closed;
  };
  await Promise.all(Array.from({ length: count }, begin));
}

onEveryHost("engine: memory", engineHosts, (host) => {
  const title = "reaches nothing of 350 connections that were opened, upgraded and ended in every way";
  host.it(title, { timeout: 60_000 }, async () => {
    await using server = await host.start({ pingInterval: 5_000, pingTimeout: 5_000 }, false);
    const remains = new Remains();
    remains.watch(server);
    server.engine.on("connection", (session: Session) => {
      session.on("message", (data: string) => session.send(data));
    });
    for (let round = 0; round < 350; round++) {
      await wholeRound(server, round);
    }
    await until(() => server.engine.clientsCount === 0, "all sessions to close");
    assert.equal(remains.count, 350 * 4);
    assert.deepEqual(await remains.alive(), {});
  });
  host.it("releases everything of 100 abandoned upgrades", { timeout: 60_000 }, async () => {
    // Long enough for each to begin on a busy machine.
    await using server = await host.start({ pingInterval: 300, pingTimeout: 300 }, false);
    const remains = new Remains();
    remains.watch(server);
    for (let round = 0; round < 100; round++) {
      await abandonedUpgrade(server, round);
    }
    await until(() => server.engine.clientsCount === 0, "all sessions to close");
    assert.ok(remains.count >= 300);
    assert.deepEqual(await remains.alive(), {});
  });

  host.it("releases everything of 50 unfinished upgrades", { timeout: 60_000 }, async () => {
    await using server = await host.start(
      // Long enough for 50 to begin on a busy machine.
      { pingInterval: 1_000, pingTimeout: 1_000, upgradeTimeout: 500 },
      false,
    );
    const remains = new Remains();
    remains.watch(server);
    await unfinishedUpgrades(server, 50);
    await until(() => server.engine.clientsCount === 0, "all sessions to time out");
    assert.deepEqual(await remains.alive(), {});
  });
});
