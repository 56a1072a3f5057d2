import assert from "node:assert/strict";
import type { MemoryCall, MemoryWebSocket, ServerOptions, Session } from "@tidewire/engine";
import { endOf, WebTransportPair } from "../../../test/support/webtransport/pair.ts";
import { MemoryNodes } from "./memory-nodes.ts";
import type { MemoryNode, MemoryNodesOptions } from "./memory-nodes.ts";

const polling = "/engine.io/?EIO=4&transport=polling";
const websocket = "/engine.io/?EIO=4&transport=websocket";

/** Three nodes, and a client whose handshake is at the first. */
class Trio extends MemoryNodes {
  readonly a: MemoryNode;
  readonly b: MemoryNode;
  readonly c: MemoryNode;
  sid = "";

  constructor(options: MemoryNodesOptions = {}) {
    super(["AAAA", "BBBB", "CCCC"], options);
    [this.a, this.b, this.c] = this.nodes as [MemoryNode, MemoryNode, MemoryNode];
  }

  async open(url: string = polling): Promise<void> {
    const { body } = await this.done(this.a.host.request({ url }));
    this.sid = /"sid":"([^"]+)"/.exec(body.toString())![1]!;
  }

  get(node: MemoryNode): MemoryCall {
    return this.#quiet(node.host.request({ url: `${polling}&sid=${this.sid}` }));
  }

  post(node: MemoryNode, body: string): MemoryCall {
    return this.#quiet(node.host.request({ method: "POST", url: `${polling}&sid=${this.sid}`, body }));
  }

  #quiet(call: MemoryCall): MemoryCall {
    call.response.catch(() => {});
    return call;
  }

  connect(node: MemoryNode, signal?: AbortSignal): Promise<MemoryWebSocket> {
    return this.settled(node.host.connect({ url: `${websocket}&sid=${this.sid}` }, signal));
  }

  /** How many sessions the applications of the nodes were given. */
  get bound(): number[] {
    return this.nodes.map(({ sessions }) => sessions.length);
  }

  get moved(): number[] {
    return this.nodes.map(({ directory }) => directory.movedSessions);
  }
}

function messagesOf(session: Session): unknown[] {
  const messages: unknown[] = [];
  session.on("message", (data) => messages.push(data));
  return messages;
}

describe("cluster: late binding", () => {
  it("binds a session where its WebSocket shows up, with the requests that have waited", async () => {
    const trio = new Trio();
    await trio.open();
    const messages: unknown[] = [];
    trio.b.engine.on("connection", (session: Session) => {
      session.on("message", (data) => messages.push(data));
      session.send("welcome");
    });
    const post = trio.post(trio.c, "4hello");
    const poll = trio.get(trio.a);
    await trio.settle();
    assert.deepEqual(trio.bound, [0, 0, 0]);
    const socket = await trio.connect(trio.b);
    assert.deepEqual(trio.bound, [0, 1, 0]);
    assert.equal((await trio.done(post)).body.toString(), "ok");
    assert.equal((await trio.done(poll)).body.toString(), "4welcome");
    assert.deepEqual(messages, ["hello"]);
    const [session] = trio.b.sessions;
    assert.equal(session!.id, trio.sid);
    assert.deepEqual(trio.moved, [1, 0, 0]);
    socket.send("2probe");
    socket.send("5");
    await trio.settle();
    assert.equal(session!.transport.name, "websocket");
    assert.deepEqual(trio.moved, [0, 0, 0]);
    for (const { engine } of trio.nodes) engine.close();
    await trio.settle();
  });

  it("replays the handshake with the cookies that its answer has set", async () => {
    const trio = new Trio();
    const visitors = new Set<string>();
    for (const { engine } of trio.nodes) {
      engine.use((req, res, next) => {
        const known = /visitor=(\w+)/.exec(req.headers.cookie ?? "")?.[1];
        const visitor = known ?? `v${visitors.size + 1}`;
        visitors.add(visitor);
        if (known === undefined) res.setHeader("Set-Cookie", `visitor=${visitor}`);
        next();
      });
    }
    const { headers, body } = await trio.done(
      trio.a.host.request({ url: polling, headers: { cookie: "theme=dark", "x-of": "the handshake" } }),
    );
    assert.deepEqual(headers["set-cookie"], ["visitor=v1"]);
    const sid = /"sid":"([^"]+)"/.exec(body.toString())![1]!;
    const cookie = "theme=dark; visitor=v1";
    await trio.settled(trio.b.host.connect({ url: `${websocket}&sid=${sid}`, headers: { cookie } }));
    const { request } = trio.b.sessions[0]!;
    assert.deepEqual([request.headers.cookie, request.headers["x-of"]], [cookie, "the handshake"]);
    assert.deepEqual([...visitors], ["v1"]);
    for (const { engine } of trio.nodes) engine.close();
    await trio.settle();
  });

  it("keeps the way to a session that has moved, until that has ended", async () => {
    const trio = new Trio();
    await trio.open();
    const socket = await trio.connect(trio.b);
    socket.close();
    const [session] = trio.b.sessions;
    const messages = messagesOf(session!);
    for (const node of trio.nodes) assert.equal((await trio.done(trio.post(node, "4x"))).status, 200);
    assert.deepEqual(messages, ["x", "x", "x"]);
    session!.close(true);
    await trio.settle();
    assert.deepEqual(trio.moved, [0, 0, 0]);
    for (const node of trio.nodes) assert.equal((await trio.done(trio.post(node, "4x"))).status, 400);
  });

  it("binds at the first node if there is no WebSocket, and relays one that comes later", async () => {
    const trio = new Trio();
    await trio.open();
    const poll = trio.get(trio.b);
    await trio.settle();
    trio.loop.advance(100);
    assert.deepEqual(trio.bound, [1, 0, 0]);
    const socket = await trio.connect(trio.c);
    const frames: unknown[] = [];
    socket.onmessage = (data) => frames.push(data);
    socket.send("2probe");
    await trio.settle();
    trio.loop.advance(1);
    assert.equal((await trio.done(poll)).body.toString(), "6");
    socket.send("5");
    await trio.settle();
    trio.a.sessions[0]!.send("hello");
    await trio.settle();
    assert.deepEqual(frames, ["3probe", "4hello"]);
    assert.deepEqual(trio.bound, [1, 0, 0]);
  });

  it("speaks EIO3", async () => {
    const trio = new Trio({ engine: { allowEIO3: true } });
    await trio.open("/engine.io/?EIO=3&transport=polling");
    const url = `/engine.io/?EIO=3&transport=websocket&sid=${trio.sid}`;
    const socket = await trio.settled(trio.b.host.connect({ url }));
    socket.send("2probe");
    socket.send("5");
    await trio.settle();
    const [session] = trio.b.sessions;
    assert.deepEqual([session?.protocol, session?.transport.name], [3, "websocket"]);
  });

  for (const refuser of ["allowRequest", "middleware"] as const) {
    it(`stays at the first node where ${refuser} of the other refuses it, and is relayed`, async () => {
      const trio = new Trio();
      await trio.open();
      if (refuser === "allowRequest") trio.b.engine.opts.allowRequest = (_req, done) => done("no", false);
      else trio.b.engine.use((_req, res) => res.writeHead(401).end());
      await trio.connect(trio.b);
      assert.deepEqual(trio.bound, [1, 0, 0]);
    });
  }

  it("stays at the first node where the other takes too long, and is relayed", async () => {
    const trio = new Trio();
    await trio.open();
    let answer: ((error: null, success: boolean) => void) | undefined;
    trio.b.engine.opts.allowRequest = (_req, done) => (answer = done);
    const socket = trio.connect(trio.b);
    await trio.settle();
    trio.loop.advance(600);
    await socket;
    answer!(null, true);
    await trio.settle();
    assert.deepEqual(trio.bound, [1, 0, 0]);
  });

  it("binds at the first node when the client gives the WebSocket up meanwhile", async () => {
    const trio = new Trio();
    await trio.open();
    trio.b.engine.opts.allowRequest = () => {};
    const abort = new AbortController();
    const socket = trio.connect(trio.b, abort.signal);
    await trio.settle();
    abort.abort();
    await assert.rejects(socket);
    await trio.settle();
    assert.deepEqual(trio.bound, [1, 0, 0]);
  });

  it("binds at the first node when the link breaks meanwhile", async () => {
    const trio = new Trio();
    await trio.open();
    trio.b.engine.opts.allowRequest = () => {};
    const socket = trio.connect(trio.b);
    await trio.settle();
    trio.connections[0]!.cut();
    await assert.rejects(socket);
    assert.deepEqual(trio.bound, [1, 0, 0]);
  });

  it("binds a session once where two WebSockets show up", async () => {
    const trio = new Trio();
    await trio.open();
    const sockets = await Promise.allSettled([trio.connect(trio.b), trio.connect(trio.c), trio.settle()]);
    assert.equal(
      trio.bound.reduce((sum, count) => sum + count),
      1,
    );
    assert.ok(sockets.some(({ status }) => status === "fulfilled"));
  });

  it("binds at once where it is told to", async () => {
    const trio = new Trio({ binding: { bind: "early" } });
    await trio.open();
    assert.deepEqual(trio.bound, [1, 0, 0]);
  });

  it("binds what is held when the node is about to leave", async () => {
    const trio = new Trio();
    await trio.open();
    trio.a.directory.drain(true);
    assert.deepEqual(trio.bound, [1, 0, 0]);
    await trio.open();
    assert.deepEqual(trio.bound, [2, 0, 0]);
    trio.a.directory.drain(false);
    await trio.open();
    assert.deepEqual(trio.bound, [2, 0, 0]);
  });

  describe("with limits.connectionsPerIp", () => {
    const engine: ServerOptions = { limits: { connectionsPerIp: 2 } };

    it("counts the sessions that are held", async () => {
      const trio = new Trio({ engine });
      const statuses: number[] = [];
      for (let n = 0; n < 4; n++)
        statuses.push((await trio.done(trio.a.host.request({ url: polling }))).status);
      assert.deepEqual(statuses, [200, 200, 429, 429]);
      trio.loop.advance(500);
      assert.deepEqual(trio.bound, [2, 0, 0]);
      assert.equal((await trio.done(trio.a.host.request({ url: polling }))).status, 429);
      trio.a.sessions[0]!.close(true);
      await trio.open();
      // Its client does not come back, and the engine closes it.
      trio.a.engine.close();
      for (let n = 0; n < 2; n++) await trio.open();
      for (const each of trio.nodes) each.engine.close();
      await trio.settle();
    });

    it("moves no more sessions to a node than it would let in", async () => {
      const trio = new Trio({ engine });
      for (let n = 0; n < 4; n++) {
        await trio.open();
        await trio.connect(trio.b);
      }
      assert.deepEqual(trio.bound, [2, 2, 0]);
      assert.equal((await trio.done(trio.a.host.request({ url: polling }))).status, 429);
    });
  });

  it("leaves nothing behind of a client that never comes back", async () => {
    const trio = new Trio();
    await trio.open();
    trio.loop.advance(100_000);
    assert.equal(trio.a.sessions[0]!.readyState, "closed");
    assert.deepEqual([trio.a.engine.clientsCount, trio.a.engine.clock.timers], [0, 0]);
  });
});

describe("cluster: WebTransport", () => {
  const transports: ServerOptions["transports"] = ["polling", "websocket", "webtransport"];

  /** A WebTransport session at a node, which asks for the session of the client, and probes at once. */
  async function probe(trio: Trio, node: MemoryNode) {
    const pair = new WebTransportPair();
    const stream = pair.stream();
    void node.engine.onWebTransportSession(pair.session);
    const data = `0{"sid":"${trio.sid}"}`;
    await stream.write(Buffer.from(`${String.fromCharCode(data.length)}${data}`));
    const probed = stream.write('06 "2probe"');
    await trio.settle();
    return { pair, stream, probed };
  }

  it("binds a session where it shows up", async () => {
    const trio = new Trio({ engine: { transports } });
    await trio.open();
    const { stream, probed } = await probe(trio, trio.b);
    await probed;
    await stream.expect('06 "3probe"');
    await stream.write('01 "5"');
    await trio.settle();
    assert.deepEqual(trio.bound, [0, 1, 0]);
    assert.equal(trio.b.sessions[0]!.transport.name, "webtransport");
    for (const { engine } of trio.nodes) engine.close();
  });

  it("is refused for a session that is bound elsewhere", async () => {
    const trio = new Trio({ engine: { transports }, binding: { bind: "early" } });
    await trio.open();
    const { pair } = await probe(trio, trio.b);
    assert.deepEqual(await endOf(pair), { closeCode: 1, reason: "Session ID unknown" });
    assert.equal(trio.a.sessions[0]!.readyState, "open");
    for (const { engine } of trio.nodes) engine.close();
  });
});
