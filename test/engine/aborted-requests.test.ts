import assert from "node:assert/strict";
import type { EngineOptions, Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { HalfPost } from "../support/wire/network-client.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

type AllowRequest = NonNullable<EngineOptions["allowRequest"]>;

/** An allowRequest that decides when the test says so. */
class Gate {
  readonly asked: Promise<void>;
  #letIn: (() => void) | undefined;
  #onAsked!: () => void;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#onAsked = resolve;
    });
  }

  /** Holds requests that carry `hold` in their query; all others come in at once. */
  readonly allowRequest: AllowRequest = (req, callback) => {
    if (req.url?.includes("hold") === true) {
      this.#letIn = () => callback(null, true);
      this.#onAsked();
    } else {
      callback(null, true);
    }
  };

  open(): void {
    this.#letIn?.();
  }
}

async function assertOthersGoOn(server: StartedEngine): Promise<void> {
  const peer = await PollingPeer.open(server);
  peer.session.send("polling");
  assert.deepEqual(await peer.pollPackets(1), ["4polling"]);
  peer.session.close(true);
  const { socket, session } = await openWebSocket(server);
  session.send("websocket");
  assert.equal(await socket.next(), "4websocket");
  socket.close();
  await server.closed(session);
}

onEveryHost("engine: aborted requests", engineHosts, (host) => {
  host.it("closes the session when its held poll is aborted", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const aborter = new AbortController();
    const { answer } = await peer.park({ signal: aborter.signal });
    aborter.abort();
    await assert.rejects(answer);
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "poll connection closed prematurely");
    await assertOthersGoOn(server);
  });

  host.it("closes the session when a POST is aborted halfway", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages: unknown[] = [];
    peer.session.on("message", (data: unknown) => messages.push(data));
    const half = new HalfPost(server.port, peer.path);
    await server.read();
    half.abort();
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "data request connection closed prematurely");
    assert.deepEqual(messages, []);
    await assertOthersGoOn(server);
  });

  host.it("ignores a POST that is aborted after the session has closed", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const half = new HalfPost(server.port, peer.path);
    await server.read();
    peer.session.close(true);
    await server.closed(peer.session);
    half.abort();
    await assertOthersGoOn(server);
  });

  host.it("survives a handshake that is aborted while allowRequest decides", async () => {
    const gate = new Gate();
    await using server = await host.start({
      allowRequest: gate.allowRequest,
      pingInterval: 50,
      pingTimeout: 50,
    });
    const aborter = new AbortController();
    const { signal } = aborter;
    const answer = server.client.get(server.path("transport=polling&hold=1"), { signal });
    answer.catch(() => {});
    await within(gate.asked, "allowRequest to be asked");
    aborter.abort();
    await assert.rejects(answer);
    await pause(20);
    gate.open();
    await pause(1);
    await until(() => server.engine.clientsCount === 0, "nothing to be left of the aborted handshake");
  });

  host.it("serves others after a handshake was aborted while allowRequest decides", async () => {
    const gate = new Gate();
    await using server = await host.start({ allowRequest: gate.allowRequest });
    const aborter = new AbortController();
    const { signal } = aborter;
    const sessions: Session[] = [];
    server.engine.on("connection", (session: Session) => sessions.push(session));
    const answer = server.client.get(server.path("transport=polling&hold=1"), { signal });
    answer.catch(() => {});
    await within(gate.asked, "allowRequest to be asked");
    const other = await server.client.get(server.path("transport=polling"));
    assert.equal(other.status, 200);
    aborter.abort();
    await assert.rejects(answer);
    await pause(20);
    gate.open();
    const after = await server.client.get(server.path("transport=polling"));
    assert.equal(after.status, 200);
    assert.ok(sessions.length >= 2);
  });
  const title = "is not harmed by a WebSocket that is cut while allowRequest decides";
  host.it(title, { needs: "tcp" }, async () => {
    const gate = new Gate();
    await using server = await host.start({ allowRequest: gate.allowRequest });
    const aborter = new AbortController();
    const { signal } = aborter;
    const socket = server.client.websocket(server.path("transport=websocket&hold=1"), { signal });
    socket.catch(() => {});
    await within(gate.asked, "allowRequest to be asked");
    aborter.abort();
    await assert.rejects(socket);
    await pause(20);
    gate.open();
    await assertOthersGoOn(server);
    await until(() => server.engine.clientsCount === 0, "nothing to be left of the cut WebSocket");
  });

  host.it("survives a handshake that is aborted while generateId decides", async () => {
    await using server = await host.start({ pingInterval: 50, pingTimeout: 50 });
    let give: ((id: string) => void) | undefined;
    server.engine.generateId = () => new Promise((resolve) => (give = resolve));
    const aborter = new AbortController();
    const answer = server.client.get(server.path("transport=polling"), { signal: aborter.signal });
    answer.catch(() => {});
    await until(() => give !== undefined, "generateId to be asked");
    aborter.abort();
    await assert.rejects(answer);
    await pause(20);
    give?.("late");
    await pause(1);
    await until(() => server.engine.clientsCount === 0, "nothing to be left of the aborted handshake");
  });

  host.it("survives a handshake that is aborted while a middleware decides", async () => {
    await using server = await host.start({ pingInterval: 50, pingTimeout: 50 });
    let next: (() => void) | undefined;
    server.engine.use((_req, _res, proceed) => {
      next = proceed;
    });
    const aborter = new AbortController();
    const answer = server.client.get(server.path("transport=polling"), { signal: aborter.signal });
    answer.catch(() => {});
    await until(() => next !== undefined, "the middleware to be asked");
    aborter.abort();
    await assert.rejects(answer);
    await pause(20);
    next?.();
    await pause(1);
    await until(() => server.engine.clientsCount === 0, "nothing to be left of the aborted handshake");
  });
});

/** For what the other end of a TCP connection notices without telling anybody. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
