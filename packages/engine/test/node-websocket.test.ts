import assert from "node:assert/strict";
import { on, once } from "node:events";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { Server } from "../src/server.ts";
import type { Session } from "../src/session/session.ts";

describe("WebSocket of `ws`", () => {
  let engine: Server;
  let httpServer: HttpServer;
  let client: WebSocket;

  beforeEach(async () => {
    engine = new Server();
    httpServer = createServer();
    engine.attach(httpServer);
    await once(httpServer.listen(0, "127.0.0.1"), "listening");
    const { port } = httpServer.address() as AddressInfo;
    client = new WebSocket(`ws://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`);
  });

  afterEach(async () => {
    client.terminate();
    engine.close();
    await new Promise((closed) => {
      httpServer.close(closed);
    });
  });

  it("also emits messages to its own listeners", async () => {
    const [session] = (await once(engine, "connection")) as [Session];
    const theirs = session.transport as unknown as { socket: WebSocket };
    await once(client, "message");

    client.send("4first");
    assert.deepEqual(await once(session, "message"), ["first"]);
    const raw: string[] = [];
    theirs.socket.on("message", (data: Buffer, isBinary) => raw.push(`${data.toString()} ${isBinary}`));
    client.send("4second");
    assert.deepEqual(await once(session, "message"), ["second"]);
    client.send("4third");
    assert.deepEqual(await once(session, "message"), ["third"]);
    assert.deepEqual(raw[0], "4second false");
  });

  it("accepts volatile packets as soon as it is open", async () => {
    let writable: boolean | undefined;
    // Clients of protocol 3 hear of their namespace then.
    engine.once("connection", (session: Session) => {
      process.nextTick(() => (writable = session.writable));
    });
    await once(client, "message");
    assert.equal(writable, true);
  });

  it("is read by us, and no longer by `ws`", async () => {
    let stream: Duplex | undefined;
    httpServer.on("upgrade", (_request, socket: Duplex) => (stream = socket));
    const [session] = (await once(engine, "connection")) as [Session];
    await once(client, "message");
    assert.deepEqual(
      stream?.listeners("data").map(({ name }) => name),
      ["onData"],
    );
    assert.equal(session.transport.corksReads, true);
  });

  it("leaves all frames to a `ws` that does not listen for data", async () => {
    httpServer.prependListener("upgrade", (_request, stream: Duplex) => {
      // Another listener.
      stream.on("data", () => {});
      readInsteadOfListening(stream);
    });
    const received = on(client, "message");
    const [session] = (await once(engine, "connection")) as [Session];
    const messages = on(session, "message");
    session.send("a");
    session.send(Buffer.from([1]));
    const handshake = (await received.next()).value as [Buffer];
    assert.equal(handshake[0].toString().slice(0, 2), "0{");
    assert.deepEqual((await received.next()).value, [Buffer.from("4a"), false]);
    assert.deepEqual((await received.next()).value, [Buffer.from([1]), true]);
    client.send("4b");
    client.send(Buffer.from([2]));
    assert.deepEqual((await messages.next()).value, ["b"]);
    assert.deepEqual((await messages.next()).value, [Buffer.from([2])]);
    // And each once.
    client.send("4c");
    assert.deepEqual((await messages.next()).value, ["c"]);
  });
});

/** Has who listens for `data` next get it without a listener of `data`, as the `ws` of another runtime does. */
function readInsteadOfListening(stream: Duplex): void {
  const listenAsEver = stream.on.bind(stream);
  const listen = (name: string, listener: (...args: unknown[]) => void): Duplex => {
    if (name !== "data") return listenAsEver(name, listener);
    Reflect.deleteProperty(stream, "on");
    return listenAsEver("readable", () => {
      for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) {
        listener.call(stream, chunk);
      }
    });
  };
  Object.assign(stream, { on: listen });
}
