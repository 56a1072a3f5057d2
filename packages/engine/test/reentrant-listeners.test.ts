// What listeners do in the middle of things: throw, close, close the whole engine. Each was once found by fuzzing.
import assert from "node:assert/strict";
import { Engine } from "../src/engine.ts";
import { MemoryHost } from "../src/host/memory/host.ts";
import type { MemoryWebSocket } from "../src/host/memory/websocket.ts";
import type { Session } from "../src/session/session.ts";
import { DrivenLoop } from "./driven-loop.ts";

const PATH = "/engine.io/?EIO=4&transport=";
const failure = new Error("thrown by a listener");

function fail(): never {
  throw failure;
}

describe("a listener", () => {
  let loop: DrivenLoop;
  let engine: Engine;
  let host: MemoryHost;
  let session: Session;
  let ends: string[];

  beforeEach(() => {
    loop = new DrivenLoop();
    engine = new Engine({}, loop);
    engine.generateId = () => "sid";
    host = new MemoryHost();
    engine.attachHost(host);
    ends = [];
    engine.on("connection", (opened: Session) => {
      session = opened;
      session.on("close", (reason) => ends.push(reason as string));
    });
  });

  const get = async (): Promise<string> => {
    const { response } = host.request({ url: `${PATH}polling&sid=sid` });
    loop.tick();
    return (await response).body.toString();
  };

  const post = async (body: string): Promise<string> => {
    const { status, body: answer } = await host.request({
      method: "POST",
      url: `${PATH}polling&sid=sid`,
      body,
    }).response;
    return `${status} ${answer.toString()}`;
  };

  const handshake = async (): Promise<void> => {
    await host.request({ url: `${PATH}polling` }).response;
  };

  /** Opens a WebSocket and collects its frames, without the handshake. */
  const connect = async (query = "websocket"): Promise<{ socket: MemoryWebSocket; frames: string[] }> => {
    const socket = await host.connect({ url: PATH + query });
    const frames: string[] = [];
    socket.onmessage = (data) => frames.push(String(data));
    if (query === "websocket") frames.shift();
    return { socket, frames };
  };

  it("of message that throws does not keep the rest of a payload from the others", async () => {
    await handshake();
    const heard: string[] = [];
    session.on("message", (data: string) => {
      heard.push(data);
      if (data === "b") fail();
    });
    assert.equal(await post("4a\x1e4b\x1e4c"), "200 ok");
    assert.deepEqual(heard, ["a", "b", "c"]);
    assert.deepEqual(loop.uncaught, [failure]);
  });

  it("of the layer above that throws does not keep the rest of a payload from it", async () => {
    await handshake();
    const heard: unknown[] = [];
    session.handlers = {
      onMessage: (data) => (heard.push(data), fail()),
      onClose: () => {},
    };
    assert.equal(await post("4a\x1e4b"), "200 ok");
    assert.deepEqual(heard, ["a", "b"]);
    assert.deepEqual(loop.uncaught, [failure, failure]);
  });

  it("of flush that throws does not lose flushed packets", async () => {
    const { frames } = await connect();
    session.on("flush", fail);
    engine.on("flush", fail);
    session.send("a");
    loop.tick();
    assert.deepEqual(frames, ["4a"]);
    assert.deepEqual(loop.uncaught, [failure, failure]);
  });

  it("of flush that closes lets the flushed packets go first", async () => {
    const { frames } = await connect();
    session.once("flush", () => session.close());
    session.send("a").send("b");
    loop.tick();
    assert.deepEqual(frames, ["4a", "4b"]);
    assert.deepEqual(ends, ["forced close"]);
  });

  it("of flush that closes at once prevents any further write", async () => {
    const { socket, frames } = await connect();
    session.once("flush", () => session.close(true));
    session.send("a");
    loop.tick();
    assert.deepEqual(frames, []);
    assert.equal(socket.lateFrames, 0);
    assert.deepEqual(ends, ["forced close"]);
  });

  it("of flush sends more in the same flush", async () => {
    const { frames } = await connect();
    session.once("flush", () => session.send("b"));
    session.send("a");
    loop.tick();
    assert.deepEqual(frames, ["4a", "4b"]);
  });

  it("of packet that closes keeps the message from the others", async () => {
    const { socket } = await connect();
    session.on("packet", () => session.close(true));
    session.on("message", () => assert.fail("a message after the end"));
    socket.send("4a");
    assert.deepEqual(ends, ["forced close"]);
    assert.deepEqual(loop.uncaught, []);
  });

  it("of upgrading that closes leaves no deadline", async () => {
    await handshake();
    const { socket } = await connect("websocket&sid=sid");
    session.on("upgrading", () => session.close(true));
    socket.send("2probe");
    assert.deepEqual(ends, ["forced close"]);
    loop.advance(60_000);
    assert.equal(engine.clock.timers, 0);
    assert.equal(loop.timers, 0);
  });

  it("of upgrading that throws does not stop the upgrade", async () => {
    await handshake();
    const { socket, frames } = await connect("websocket&sid=sid");
    session.on("upgrading", fail);
    const parked = host.request({ url: `${PATH}polling&sid=sid` });
    socket.send("2probe");
    loop.advance(1);
    assert.equal((await parked.response).body.toString(), "6");
    socket.send("5");
    session.send("a");
    loop.tick();
    assert.deepEqual(frames, ["3probe", "4a"]);
  });

  it("of upgrade that throws does not hold up packets for the new transport", async () => {
    await handshake();
    const { socket, frames } = await connect("websocket&sid=sid");
    session.on("upgrade", fail);
    socket.send("2probe");
    session.send("a");
    socket.send("5");
    assert.deepEqual(frames, ["3probe", "4a"]);
    assert.deepEqual(loop.uncaught, [failure]);
  });

  it("of close that throws, above, does not keep the close from the others", async () => {
    await handshake();
    session.handlers = { onMessage: () => {}, onClose: fail };
    session.close(true);
    assert.deepEqual(ends, ["forced close"]);
    assert.deepEqual(loop.uncaught, [failure]);
    assert.equal(engine.clientsCount, 0);
  });

  it("of send's callback may throw", async () => {
    await connect();
    const told: string[] = [];
    session.send("a", fail);
    session.send("b", () => told.push("b"));
    session.close();
    assert.deepEqual(told, ["b"]);
    assert.deepEqual(loop.uncaught, [failure]);
    assert.deepEqual(ends, ["forced close"]);
  });

  it("of connection that throws leaves the session open", async () => {
    engine.on("connection", fail);
    const { socket } = await connect();
    const heard: string[] = [];
    session.on("message", (data: string) => heard.push(data));
    socket.send("4a");
    assert.deepEqual(heard, ["a"]);
    assert.deepEqual(loop.uncaught, [failure]);
  });

  it("of the engine's flush that closes it gets no connection afterwards", async () => {
    engine.on("connection", () => assert.fail("a connection that has ended"));
    engine.on("flush", () => engine.close());
    host.request({ url: `${PATH}polling` }).response.catch(() => {});
    loop.tick();
    assert.equal(engine.clientsCount, 0);
    assert.deepEqual(loop.uncaught, []);
  });

  it("of connection_error that throws leaves no request unanswered", async () => {
    engine.on("connection_error", fail);
    const { status } = await host.request({ url: `${PATH}tcp` }).response;
    assert.equal(status, 400);
    assert.deepEqual(loop.uncaught, [failure]);
  });

  it("need not wait for a poll once close(true) follows close()", async () => {
    await handshake();
    session.close();
    assert.deepEqual(ends, []);
    session.close(true);
    assert.deepEqual(ends, ["forced close"]);
    assert.equal(engine.clientsCount, 0);
    loop.advance(60_000);
    assert.equal(loop.timers, 0);
  });

  it("need not wait for a poll once the engine closes after the session", async () => {
    await handshake();
    session.close();
    engine.close();
    assert.deepEqual(ends, ["forced close"]);
    assert.equal(engine.clientsCount, 0);
  });

  it("that closes has earlier packets delivered, then the close packet", async () => {
    await handshake();
    session.send("a");
    session.close();
    assert.equal(await get(), "4a");
    assert.equal(await get(), "6\x1e1");
    assert.deepEqual(ends, ["forced close"]);
  });
});
