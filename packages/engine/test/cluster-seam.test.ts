import assert from "node:assert/strict";
import { once } from "node:events";
import { Engine, MemoryHost } from "@tidewire/engine";
import type { ConnectionError, HttpExchange, internals, ServerOptions, Session } from "@tidewire/engine";
import { DrivenLoop } from "./driven-loop.ts";

const handshake = "/engine.io/?EIO=4&transport=polling";

/** Another node: it keeps what comes. */
class OtherNode implements internals.RemoteSession {
  readonly needsWholeHead = false;
  readonly requests: HttpExchange[] = [];
  upgrades = 0;

  onRequest(exchange: HttpExchange): void {
    this.requests.push(exchange);
  }

  onUpgrade(): void {
    this.upgrades++;
  }

  claim(_sid: string, done: () => void): void {
    done();
  }
}

/** The part of a cluster that an engine sees: this node is `SELF`, the other one `PEER`. */
class TwoNodes implements internals.EngineCluster {
  readonly starting = undefined;
  readonly idPrefix = "SELF";
  readonly bindTimeout = 500;
  bindsLate = true;
  readonly peer: OtherNode = new OtherNode();
  /** Whether the other node takes new clients. */
  isPeerUp = true;
  readonly upgraded: string[] = [];
  readonly ended: string[] = [];
  target!: internals.ClusterTarget;

  bind(target: internals.ClusterTarget): void {
    this.target = target;
  }

  find(sid: string): OtherNode | undefined {
    return sid.startsWith("PEER") ? this.peer : undefined;
  }

  successor(): OtherNode | undefined {
    return this.isPeerUp ? this.peer : undefined;
  }

  onUpgraded(sid: string): void {
    this.upgraded.push(sid);
  }

  onEnded(sid: string): void {
    this.ended.push(sid);
  }
}

class Node {
  readonly loop: DrivenLoop = new DrivenLoop();
  readonly host: MemoryHost = new MemoryHost();
  readonly cluster: TwoNodes = new TwoNodes();
  readonly sessions: Session[] = [];
  readonly messages: string[] = [];
  readonly engine: Engine;

  constructor(options: ServerOptions = {}) {
    this.engine = new Engine(options, this.loop).attachHost(this.host).joinCluster(this.cluster);
    this.engine.on("connection", (session: Session) => {
      this.sessions.push(session);
      session.on("message", (data: string) => this.messages.push(data));
    });
  }

  async open(url: string = handshake): Promise<{ sid: string; body: string }> {
    const { body } = await this.host.request({ url }).response;
    const text = body.toString();
    return { sid: /"sid":"([^"]+)"/.exec(text)?.[1] ?? "", body: text };
  }

  get(sid: string) {
    return this.host.request({ url: `${handshake}&sid=${sid}` });
  }

  post(sid: string, body: string) {
    return this.host.request({ method: "POST", url: `${handshake}&sid=${sid}`, body });
  }
}

describe("engine: in a cluster", () => {
  it("gives sessions ids that begin with the node's", async () => {
    const node = new Node();
    const { sid } = await node.open();
    assert.match(sid, /^SELF[A-Za-z0-9_-]{16}$/);
    assert.equal(node.engine.idPrefix, "SELF");
    assert.equal(new Engine().idPrefix, "");
  });

  it("refuses an id of generateId that names no node", async () => {
    const node = new Node();
    const errors: unknown[] = [];
    node.engine.on("connection_error", ({ context }: ConnectionError) => errors.push(context?.["name"]));
    node.engine.generateId = () => "mine";
    const { status } = await node.host.request({ url: handshake }).response;
    node.engine.generateId = () => "SELF-mine";
    assert.equal((await node.open()).sid, "SELF-mine");
    assert.deepEqual([status, errors], [400, ["ID_GENERATION_ERROR"]]);
  });

  it("passes requests of another node's session on, before middlewares run", async () => {
    const node = new Node();
    let middlewares = 0;
    node.engine.use((_req, _res, next) => {
      middlewares++;
      next();
    });
    node.get("PEER0123456789abcdef");
    node.post("PEER0123456789abcdef", "4a");
    void node.host.connect({ url: "/engine.io/?EIO=4&transport=websocket&sid=PEER0123456789abcdef" });
    const { requests, upgrades } = node.cluster.peer;
    assert.deepEqual([requests.length, upgrades, middlewares], [2, 1, 0]);
  });

  it("refuses a request of a node that is unknown", async () => {
    const node = new Node();
    const { status, body } = await node.get("GONE0123456789abcdef").response;
    assert.deepEqual([status, body.toString()], [400, '{"code":1,"message":"Session ID unknown"}']);
  });

  it("wants the whole head of a passed request only where somebody at its owner looks", () => {
    const { cluster } = new Node();
    assert.equal(cluster.target.needsWholeHead(`${handshake}&sid=PEER0123456789abcdef`), false);
    assert.equal(cluster.target.needsWholeHead(handshake), true);
  });
});

describe("engine: shut down in a cluster", () => {
  const websocket = "/engine.io/?EIO=4&transport=websocket";

  it("passes new clients to another node, before middlewares run, and serves its own", async () => {
    const node = new Node();
    node.cluster.bindsLate = false;
    const { sid } = await node.open();
    node.engine.shutDown();
    node.engine.use((req, _res, next) => {
      assert.match(req.url!, /sid=/);
      next();
    });
    node.host.request({ url: handshake });
    void node.host.connect({ url: websocket });
    const { requests, upgrades } = node.cluster.peer;
    assert.deepEqual([requests.map(({ request }) => request.head.url), upgrades], [[handshake], 1]);
    assert.equal((await node.post(sid, "4a").response).body.toString(), "ok");
    assert.deepEqual([node.messages, node.sessions.length], [["a"], 1]);
  });

  it("refuses new clients with 503 when no other node takes them", async () => {
    const node = new Node();
    node.cluster.isPeerUp = false;
    node.engine.shutDown();
    const { status, headers } = await node.host.request({ url: handshake }).response;
    assert.deepEqual([status, headers["retry-after"], headers["connection"]], [503, "1", "close"]);
    await assert.rejects(node.host.connect({ url: websocket }), /Unexpected server response: 503/);
  });

  it("refuses a session of its own that has ended", async () => {
    const node = new Node();
    node.engine.shutDown();
    assert.equal((await node.get("SELF0123456789abcdef").response).status, 503);
    assert.equal(node.cluster.peer.requests.length, 0);
  });

  for (const way of ["middleware", "allowRequest", "generateId"] as const) {
    it(`passes on a client whose ${way} has not answered when it is shut down`, async () => {
      const node = new Node();
      let answer: () => void = assert.fail;
      if (way === "middleware") node.engine.use((_req, _res, next) => (answer = next));
      if (way === "allowRequest")
        node.engine.opts.allowRequest = (_req, done) => (answer = () => done(null, true));
      if (way === "generateId")
        node.engine.generateId = () =>
          new Promise((resolve) => (answer = () => resolve("SELF0123456789abcdef")));
      node.host.request({ url: handshake });
      node.engine.shutDown();
      answer();
      await new Promise(setImmediate);
      assert.deepEqual([node.cluster.peer.requests.length, node.sessions.length], [1, 0]);
    });
  }

  it("adopts no session of another node, and passes it to nobody", async () => {
    const node = new Node();
    const other = new Node();
    const claim = other.cluster.target.claim((await other.open()).sid, assert.fail)!;
    node.engine.shutDown();
    const results: unknown[] = [];
    node.cluster.target.adopt("SELF-other", claim.handshake, (session) => results.push(session));
    assert.deepEqual([results, node.cluster.peer.requests.length], [[undefined], 0]);
  });
});

describe("engine: late binding", () => {
  it("answers the handshake, and opens no session", async () => {
    const node = new Node({ initialPacket: "hello" });
    const { sid, body } = await node.open();
    const { pingInterval, pingTimeout, maxHttpBufferSize: maxPayload } = node.engine.opts;
    const open = { sid, upgrades: ["websocket"], pingInterval, pingTimeout, maxPayload };
    assert.equal(body, `0${JSON.stringify(open)}\x1e4hello`);
    assert.deepEqual([node.sessions.length, node.engine.clientsCount], [0, 0]);
  });

  it("binds here when the client has not returned within the limit", async () => {
    const node = new Node();
    const { sid } = await node.open();
    node.loop.advance(499);
    assert.equal(node.sessions.length, 0);
    node.loop.advance(41);
    assert.deepEqual(
      node.sessions.map(({ id }) => id),
      [sid],
    );
  });

  it("binds here 2.5 round trips and 40 ms after the first request, which has waited", async () => {
    const node = new Node();
    const { sid } = await node.open();
    node.loop.advance(40);
    const post = node.post(sid, "4a");
    const poll = node.get(sid);
    node.loop.advance(120);
    assert.equal(node.sessions.length, 0);
    node.loop.advance(40);
    assert.deepEqual(node.messages, ["a"]);
    assert.equal((await post.response).body.toString(), "ok");
    node.sessions[0]!.send("b");
    node.loop.advance(1);
    assert.equal((await poll.response).body.toString(), "4b");
  });

  for (const [method, count] of [
    ["POST", 2],
    ["GET", 2],
  ] as const) {
    it(`binds here at the second ${method}`, async () => {
      const node = new Node();
      const { sid } = await node.open();
      const calls = [];
      for (let i = 0; i < count; i++) calls.push(method === "POST" ? node.post(sid, `4${i}`) : node.get(sid));
      assert.equal(node.engine.listenerCount("connection"), 1);
      assert.equal(node.sessions.length, 1);
      await Promise.allSettled(calls.map(({ response }) => response));
    });
  }

  it("binds here when the WebSocket comes here", async () => {
    const node = new Node();
    const { sid } = await node.open();
    const socket = await node.host.connect({ url: `/engine.io/?EIO=4&transport=websocket&sid=${sid}` });
    assert.equal(node.sessions.length, 1);
    socket.send("2probe");
    socket.send("5");
    assert.equal(node.sessions[0]!.transport.name, "websocket");
    assert.deepEqual(node.cluster.upgraded, [sid]);
    socket.close();
    assert.deepEqual(node.cluster.ended, [sid]);
  });

  it("does not hold where there can be no WebSocket, nor a handshake by WebSocket", async () => {
    for (const options of [{ transports: ["polling"] }, { allowUpgrades: false }] as ServerOptions[]) {
      const node = new Node(options);
      await node.open();
      assert.equal(node.sessions.length, 1);
    }
    const node = new Node();
    await node.host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
    assert.equal(node.sessions.length, 1);
  });

  it("has the middlewares answer a preflight, without binding", async () => {
    const node = new Node({ cors: { origin: "http://a.example" } });
    const { sid } = await node.open();
    const { status } = await node.host.request({ method: "OPTIONS", url: `${handshake}&sid=${sid}` })
      .response;
    assert.deepEqual([status, node.sessions.length], [204, 0]);
    const put = await node.host.request({ method: "PUT", url: `${handshake}&sid=${sid}` }).response;
    assert.deepEqual([put.status, node.sessions.length], [500, 1]);
  });

  it("forgets a session whose client breaks a request off", async () => {
    const node = new Node();
    const { sid } = await node.open();
    const post = node.post(sid, "4a");
    const poll = node.get(sid);
    poll.abort();
    await assert.rejects(poll.response);
    assert.equal((await post.response).status, 400);
    assert.equal((await node.get(sid).response).status, 400);
    node.loop.advance(1000);
    assert.equal(node.sessions.length, 0);
  });

  it("closes held sessions with the engine", async () => {
    const node = new Node();
    const { sid } = await node.open();
    const poll = node.get(sid);
    node.engine.close();
    assert.equal((await poll.response).body.toString(), "1");
    node.loop.advance(1000);
    assert.deepEqual([node.sessions.length, node.engine.clock.timers], [0, 0]);
  });

  it("hands a session and its requests over to another node", async () => {
    const node = new Node();
    const { sid } = await node.open();
    node.post(sid, "4a");
    node.get(sid);
    const { target, peer } = node.cluster;
    const claim = target.claim(sid, assert.fail)!;
    assert.equal(claim.handshake.url, handshake);
    assert.equal(target.claim(sid, assert.fail), undefined);
    claim.complete(peer);
    assert.deepEqual(
      peer.requests.map(({ request }) => request.head.method),
      ["POST", "GET"],
    );
    node.loop.advance(1000);
    assert.equal(node.sessions.length, 0);
  });

  it("binds here if the other node gives its claim up, or keeps it for too long", async () => {
    const node = new Node();
    const { target } = node.cluster;
    target.claim((await node.open()).sid, assert.fail)!.giveUp();
    assert.equal(node.sessions.length, 1);
    let revoked = 0;
    target.claim((await node.open()).sid, () => revoked++);
    node.loop.advance(540);
    assert.deepEqual([node.sessions.length, revoked], [2, 1]);
  });

  it("adopts a session: its handshake is replayed, and the client gets no other", async () => {
    const node = new Node({ allowRequest: (_request, callback) => callback(null, true) });
    const seen: string[] = [];
    let finished: Promise<unknown> | undefined;
    node.engine.use((req, res, next) => {
      seen.push(`${req.url} ${req.headers["cookie"]}`);
      finished ??= once(res, "finish");
      next();
    });
    const other = new Node();
    const headers = { cookie: "a=b" };
    const { body } = await other.host.request({ url: handshake, headers }).response;
    const sid = /"sid":"([^"]+)"/.exec(body.toString())![1]!;
    const claim = other.cluster.target.claim(sid, assert.fail)!;
    let adopted: internals.AdoptedSession | undefined;
    node.cluster.target.adopt(sid, claim.handshake, (session) => (adopted = session));
    assert.equal(node.sessions.length, 0);
    adopted!.open();
    assert.deepEqual(
      node.sessions.map(({ id }) => id),
      [sid],
    );
    assert.equal(node.sessions[0]!.request.headers.cookie, "a=b");
    node.sessions[0]!.send("hello");
    node.loop.advance(1);
    assert.equal((await node.get(sid).response).body.toString(), "4hello");
    assert.equal(seen[0], `${handshake} a=b`);
    await finished;
  });

  for (const [who, options, middleware] of [
    ["allowRequest", { allowRequest: (_request, callback) => callback("no", false) }, undefined],
    ["a middleware with an error", {}, "fail"],
    ["a middleware with an answer", {}, "answer"],
  ] as [string, ServerOptions, string | undefined][]) {
    it(`does not adopt what ${who} refuses, nor report it`, async () => {
      const node = new Node(options);
      node.engine.on("connection_error", () => assert.fail("reported"));
      if (middleware === "fail") node.engine.use((_req, _res, next) => next(new Error("no")));
      if (middleware === "answer") node.engine.use((_req, res) => res.writeHead(401).end());
      const other = new Node();
      const claim = other.cluster.target.claim((await other.open()).sid, assert.fail)!;
      const results: unknown[] = [];
      node.cluster.target.adopt("SELF-other", claim.handshake, (session) => results.push(session));
      assert.deepEqual(results, [undefined]);
    });
  }
});
