import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import type { MemoryCall, MemoryRequest, MemoryWebSocket, Session } from "@tidewire/engine";
import type { MemoryUpgradeError } from "@tidewire/engine";
import { MemoryNodes } from "./memory-nodes.ts";
import type { MemoryNode, MemoryNodesOptions } from "./memory-nodes.ts";

const polling = "/engine.io/?EIO=4&transport=polling";
const websocket = "/engine.io/?EIO=4&transport=websocket";

/** Two nodes: a session is on the owner, its client speaks to the front. */
class Pair extends MemoryNodes {
  readonly owner: MemoryNode;
  readonly front: MemoryNode;
  sid = "";

  constructor(options: MemoryNodesOptions = {}) {
    super(["AAAA", "BBBB"], { binding: { bind: "early" }, ...options });
    [this.owner, this.front] = this.nodes as [MemoryNode, MemoryNode];
  }

  get session(): Session {
    return this.owner.sessions[0]!;
  }

  /** Opens a session at the owner. */
  async open(url: string = polling): Promise<Session> {
    const { body } = await this.done(this.owner.host.request({ url }));
    this.sid = /sid\\?":\\?"([\w-]+)/.exec(body.toString())![1]!;
    return this.session;
  }

  /** A request to the front. */
  request(request: Partial<MemoryRequest> = {}): MemoryCall {
    return this.front.host.request({ url: `${polling}&sid=${this.sid}`, ...request });
  }

  post(body: string | Buffer, request: Partial<MemoryRequest> = {}): MemoryCall {
    return this.request({ method: "POST", body, ...request });
  }

  async connect(url: string = `${websocket}&sid=${this.sid}`): Promise<MemoryWebSocket> {
    return this.settled(this.front.host.connect({ url }));
  }

  /** Opens a session that is upgraded by a WebSocket through the front. */
  async upgrade(): Promise<{ session: Session; socket: MemoryWebSocket; frames: (string | Buffer)[] }> {
    const session = await this.open();
    const socket = await this.connect();
    const frames: (string | Buffer)[] = [];
    socket.onmessage = (data) => frames.push(data);
    socket.send("2probe");
    socket.send("5");
    await this.settle();
    assert.equal(frames.shift(), "3probe");
    assert.equal(session.transport.name, "websocket");
    return { session, socket, frames };
  }
}

function messagesOf(session: Session): (string | Buffer)[] {
  const messages: (string | Buffer)[] = [];
  session.on("message", (data: string | Buffer) => messages.push(data));
  return messages;
}

describe("cluster: forwarded polling", () => {
  it("carries packets in both directions", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const messages = messagesOf(session);
    const poll = pair.request();
    const { status, headers, body } = await pair.done(pair.post("4hello\x1ebAQI="));
    assert.deepEqual([status, body.toString()], [200, "ok"]);
    assert.deepEqual(headers, {
      "content-type": "text/html",
      "content-length": "2",
      "cache-control": "no-store",
    });
    assert.deepEqual(messages, ["hello", Buffer.from([1, 2])]);
    session.send("é");
    session.send(Buffer.from([3, 4]));
    const answer = await pair.done(poll);
    assert.equal(answer.body.toString(), "4é\x1ebAwQ=");
    assert.deepEqual(answer.headers, {
      "content-type": "text/plain; charset=UTF-8",
      "content-length": "9",
      "cache-control": "no-store",
    });
  });

  it("carries bodies of 1 MB", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const messages = messagesOf(session);
    const text = "x".repeat(999_999);
    await pair.done(pair.post(`4${text}`));
    assert.equal(messages[0], text);
    const poll = pair.request();
    await pair.settle();
    session.send(text);
    assert.equal((await pair.done(poll)).body.length, 1_000_000);
  });

  it("refuses a body that is too large with 413, and the session goes on", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const errors: unknown[] = [];
    pair.owner.engine.on("connection_error", ({ context }) => errors.push(context.name));
    assert.equal((await pair.done(pair.post("4".repeat(1_000_001)))).status, 413);
    assert.deepEqual([errors, session.readyState], [["PAYLOAD_TOO_LARGE"], "open"]);
  });

  it("speaks EIO3, with binary bodies", async () => {
    const pair = new Pair({ engine: { allowEIO3: true } });
    const session = await pair.open("/engine.io/?EIO=3&transport=polling");
    const messages = messagesOf(session);
    const url = `/engine.io/?EIO=3&transport=polling&sid=${pair.sid}`;
    const body = Buffer.from([1, 3, 255, 4, 1, 2]);
    await pair.done(pair.post(body, { url, headers: { "content-type": "application/octet-stream" } }));
    assert.deepEqual(messages, [Buffer.from([1, 2])]);
    const poll = pair.request({ url });
    await pair.settle();
    session.send(Buffer.from([9]));
    assert.deepEqual((await pair.done(poll)).body, Buffer.from([1, 2, 255, 4, 9]));
  });

  it("speaks JSONP", async () => {
    const pair = new Pair();
    const session = await pair.open(`${polling}&j=0`);
    const messages = messagesOf(session);
    const url = `${polling}&j=0&sid=${pair.sid}`;
    await pair.done(pair.post("d=4hello", { url }));
    assert.deepEqual(messages, ["hello"]);
    const poll = pair.request({ url });
    await pair.settle();
    session.send("hi");
    assert.equal((await pair.done(poll)).body.toString(), '___eio[0]("4hi");');
  });

  it("compresses where the client asks for it", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const poll = pair.request({ headers: { "accept-encoding": "deflate" } });
    await pair.settle();
    const text = "a".repeat(2000);
    session.send(text);
    const { headers, body } = await pair.done(poll);
    assert.equal(headers["content-encoding"], "deflate");
    assert.deepEqual(body, deflateSync(`4${text}`));
  });

  it("runs the middlewares of the owner alone, who see the whole request", async () => {
    const pair = new Pair();
    await pair.open();
    const seen: unknown[] = [];
    for (const [name, { engine }] of [
      ["owner", pair.owner],
      ["front", pair.front],
    ] as const) {
      engine.use((req, res, next) => {
        seen.push([name, req.method, req.headers["x-own"], req.socket.remoteAddress]);
        res.setHeader("Set-Cookie", ["a=1", "b=2"]);
        next();
      });
    }
    const { headers } = await pair.done(pair.post("4a", { headers: { "x-own": "yes" } }));
    assert.deepEqual(seen, [["owner", "POST", "yes", "127.0.0.1"]]);
    assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
  });

  it("passes a middleware's own answer on, with its reason phrase", async () => {
    const pair = new Pair();
    await pair.open();
    pair.owner.engine.use((_req, res) => res.writeHead(402, "No Money", { "X-Why": "money" }).end("pay"));
    const { status, headers, body } = await pair.done(pair.request());
    assert.deepEqual([status, headers["x-why"], body.toString()], [402, "money", "pay"]);
  });

  it("answers a preflight as the owner does", async () => {
    const pair = new Pair({ engine: { cors: { origin: "http://a.example" } } });
    await pair.open();
    const { status, headers } = await pair.done(pair.request({ method: "OPTIONS" }));
    assert.deepEqual([status, headers["access-control-allow-origin"]], [204, "http://a.example"]);
  });

  it("ends the session when the client breaks a request off, as without a cluster", async () => {
    for (const method of ["GET", "POST"]) {
      const pair = new Pair();
      const session = await pair.open();
      const closed = new Promise((resolve) => {
        session.once("close", (reason, error: Error) => resolve([reason, error.message]));
      });
      const call = pair.request({ method, streamed: true, body: "4a" });
      await pair.settle();
      call.abort();
      await assert.rejects(pair.done(call));
      const what = method === "GET" ? "poll connection" : "data request connection";
      assert.deepEqual(await closed, ["transport error", `${what} closed prematurely`]);
    }
  });

  it("ends the session at a second poll", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const first = pair.request();
    const second = pair.request();
    assert.equal((await pair.done(second)).status, 400);
    assert.equal(session.readyState, "closed");
    await pair.done(first);
  });

  it("drops the connection when the owner does", async () => {
    const pair = new Pair();
    await pair.open();
    pair.owner.engine.use((req) => req.destroy());
    await assert.rejects(pair.done(pair.request()), /dropped by the server/);
  });

  it("answers 400 when the link breaks before the answer, and closes nobody else's session", async () => {
    const pair = new Pair();
    const session = await pair.open();
    const poll = pair.request();
    await pair.settle();
    pair.connections[0]!.cut();
    const { status, body } = await pair.done(poll);
    assert.deepEqual([status, body.toString()], [400, '{"code":1,"message":"Session ID unknown"}']);
    assert.equal(session.readyState, "closed");
    const later = await pair.done(pair.request());
    assert.equal(later.status, 400);
  });

  describe("a poll that a proxy repeats elsewhere", () => {
    interface Repetition {
      /** Whether the link that has carried the first answer is gone. */
      isCut?: boolean;
      /** What the client adds to the URLs of its handshake and of its two polls. */
      stamps: readonly [string, string, string];
      protocol?: 3 | 4;
      /** Whether the owner's application knows the session from its handshake on. */
      bind?: "early" | "late";
    }

    /** Has a poll answered through one node, and sends the next one, or the same again, through another one. */
    async function repeated({
      isCut = true,
      stamps,
      protocol = 4,
      bind = "early",
    }: Repetition): Promise<unknown> {
      const engine = { allowEIO3: true };
      const nodes = new MemoryNodes(["AAAA", "BBBB", "CCCC"], {
        binding: { bind, bindTimeout: 100 },
        engine,
      });
      const [owner, front, other] = nodes.nodes as [MemoryNode, MemoryNode, MemoryNode];
      const url = `/engine.io/?EIO=${protocol}&transport=polling`;
      const { body } = await nodes.done(owner.host.request({ url: `${url}${stamps[0]}` }));
      const sid = /"sid":"([^"]+)"/.exec(body.toString())![1];
      if (bind === "late") nodes.loop.advance(100);
      const session = owner.sessions[0]!;
      Reflect.deleteProperty(session, "request");
      const ends: unknown[] = [];
      session.on("close", (reason: string, error: { code: string }) => ends.push([reason, error.code]));
      const poll = front.host.request({ url: `${url}${stamps[1]}&sid=${sid}` });
      await nodes.settle();
      session.send("one");
      assert.match((await nodes.done(poll)).body.toString(), /4one$/);
      if (isCut) nodes.connections[0]!.cut();
      await nodes.settle();
      const again = other.host.request({ url: `${url}${stamps[2]}&sid=${sid}` });
      await nodes.settle();
      session.send("two");
      const { status, body: second } = await nodes.done(again);
      return { status, body: second.toString(), ends };
    }

    const served = { status: 200, body: "4two", ends: [] };
    const unserved = { status: 400, body: "", ends: [["transport error", "POLL_REPEATED"]] };
    const stamped = ["&t=a", "&t=b", "&t=c"] as const;
    const sameAgain = ["&t=a", "&t=b", "&t=b"] as const;

    it("ends the session if the first answer may be lost", async () => {
      assert.deepEqual(await repeated({ stamps: sameAgain }), unserved);
      assert.deepEqual(await repeated({ stamps: sameAgain, bind: "late" }), unserved);
    });

    it("is served while the node is there that has passed the answer on", async () => {
      assert.deepEqual(await repeated({ stamps: sameAgain, isCut: false }), served);
    });

    it("is another one if it has another timestamp: the client has the answer", async () => {
      assert.deepEqual(await repeated({ stamps: stamped }), served);
    });

    for (const protocol of [4, 3] as const) {
      const second = protocol === 4 ? served : { ...served, body: "4:4two" };

      it(`is not told from another one if the client sends no timestamps, on protocol ${protocol}`, async () => {
        for (const bind of ["early", "late"] as const) {
          for (const stamps of [
            ["", "", ""],
            ["&token=x%20y", "&token=x%20y", "&token=x%20y"],
          ] as const) {
            assert.deepEqual(await repeated({ protocol, stamps, bind }), second);
          }
        }
      });
    }
  });

  it("refuses a sid that its owner does not know", async () => {
    const pair = new Pair();
    pair.sid = "AAAA0123456789abcdef";
    const { status, body } = await pair.done(pair.request());
    assert.deepEqual([status, body.toString()], [400, '{"code":1,"message":"Session ID unknown"}']);
  });
});

describe("cluster: relayed WebSockets", () => {
  it("carry messages in both directions", async () => {
    const pair = new Pair();
    const { session, socket, frames } = await pair.upgrade();
    const messages = messagesOf(session);
    socket.send("4hello");
    socket.send(Buffer.from([1, 2]));
    await pair.settle();
    assert.deepEqual(messages, ["hello", Buffer.from([1, 2])]);
    session.send("é");
    session.send(Buffer.from([3]));
    await pair.settle();
    assert.deepEqual(frames, ["4é", Buffer.from([3])]);
  });

  it("close in both directions, with code and reason", async () => {
    const pair = new Pair();
    const { session, socket } = await pair.upgrade();
    const reasons: unknown[] = [];
    session.on("close", (reason, error) => reasons.push(reason, error?.wsCode));
    socket.close(4000, "bye");
    await pair.settle();
    assert.deepEqual(reasons, ["transport close", 4000]);
    const other = new Pair();
    const { session: second, socket: its } = await other.upgrade();
    let closed: unknown;
    its.onclose = (code) => (closed = code);
    second.close();
    await other.settle();
    assert.equal(closed, 1005);
    assert.equal(second.readyState, "closed");
  });

  it("end with 1012 at the client, and with the session, when the link breaks", async () => {
    const pair = new Pair();
    const { session, socket } = await pair.upgrade();
    let closed: unknown;
    socket.onclose = (code) => (closed = code);
    pair.connections[0]!.cut();
    await pair.settle();
    assert.deepEqual([closed, session.readyState], [1012, "closed"]);
  });

  it("close like those of its own sessions when the client's node closes, behind what was sent before", async () => {
    const pair = new Pair();
    const { session, socket, frames } = await pair.upgrade();
    const reasons: unknown[] = [];
    session.on("close", (reason) => reasons.push(reason));
    let closed: unknown;
    socket.onclose = (code) => (closed = code);
    session.send("last");
    const retired = pair.front.directory.retire();
    await pair.settle();
    assert.equal(closed, undefined);
    pair.loop.advance(5000);
    await pair.settled(retired);
    await pair.settle();
    assert.deepEqual([closed, frames, reasons], [1005, ["4last"], ["transport close"]]);
  });

  it("report a message that is too large", async () => {
    const pair = new Pair({ engine: { maxHttpBufferSize: 100 } });
    const { session, socket } = await pair.upgrade();
    const ends: unknown[] = [];
    session.on("close", (reason, error) => ends.push(reason, error.code));
    socket.send("4" + "x".repeat(100));
    await pair.settle();
    assert.deepEqual(ends, ["transport error", "PAYLOAD_TOO_LARGE"]);
  });

  it("are refused by the owner", async () => {
    const pair = new Pair();
    pair.sid = "AAAA0123456789abcdef";
    await assert.rejects(pair.connect(), (error: MemoryUpgradeError) => {
      assert.equal(error.response.status, 400);
      assert.equal(error.response.body.toString(), "Session ID unknown");
      return true;
    });
  });

  it("get the headers that middlewares of the owner set", async () => {
    const pair = new Pair();
    pair.owner.engine.use((_req, res, next) => {
      res.setHeader("X-Owner", "yes");
      next();
    });
    await pair.open();
    assert.equal((await pair.connect()).headers["x-owner"], "yes");
  });

  it("give up a client that does not read, at maxBackpressure", async () => {
    const pair = new Pair({ engine: { maxBackpressure: 1_000_000 } });
    const { session, socket } = await pair.upgrade();
    const ends: unknown[] = [];
    session.on("close", (reason, error) => ends.push(reason, error.code));
    socket.pause();
    for (let i = 0; i < 30 && ends.length === 0; i++) {
      session.send("x".repeat(100_000));
      await pair.settle();
    }
    assert.deepEqual(ends, ["transport error", "SLOW_CONSUMER"]);
  });

  it("hold back what a slow client does not read, and deliver all of it", async () => {
    const pair = new Pair();
    const { session, socket, frames } = await pair.upgrade();
    socket.pause();
    for (let i = 0; i < 20; i++) {
      session.send(`${i}:${"x".repeat(100_000)}`);
      await pair.settle();
    }
    // The window of the stream, one message beyond it, and no more have left the owner.
    assert.ok(session.bufferedAmount >= 1_600_000, `${session.bufferedAmount}`);
    assert.equal(session.writable, false);
    for (let round = 0; round < 20; round++) {
      socket.resume();
      await pair.settle();
    }
    assert.deepEqual(
      frames.map((frame) => Number(frame.toString().slice(1).split(":")[0])),
      Array.from({ length: 20 }, (_, index) => index),
    );
    assert.equal(session.bufferedAmount, 0);
  });
});
