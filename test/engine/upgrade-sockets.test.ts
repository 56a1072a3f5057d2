import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Server } from "@tidewire/engine";
import type { AttachOptions, ServerOptions } from "@tidewire/engine";
import { Http2Engine, WEBSOCKET } from "../support/http2/engine.ts";
import { until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";

/** An engine on a node http server that counts what becomes of its sockets. */
class WatchedEngine implements AsyncDisposable {
  readonly engine: Server;
  readonly httpServer: HttpServer = createServer((_request, response) => response.end("other"));
  readonly closed: Promise<unknown>[] = [];

  constructor(options: ServerOptions, attachOptions: AttachOptions) {
    this.engine = new Server(options);
    this.engine.attach(this.httpServer, attachOptions);
    this.httpServer.on("connection", (socket: Socket) => this.closed.push(once(socket, "close")));
  }

  static async start(options: ServerOptions = {}, attachOptions: AttachOptions = {}): Promise<WatchedEngine> {
    const engine = new WatchedEngine(options, { destroyUpgradeTimeout: 50, ...attachOptions });
    engine.httpServer.listen(0, "127.0.0.1");
    await once(engine.httpServer, "listening");
    return engine;
  }

  async connect(): Promise<Socket> {
    const client = connect((this.httpServer.address() as AddressInfo).port, "127.0.0.1");
    client.on("error", () => {});
    client.resume();
    await once(client, "connect");
    return client;
  }

  /** Resolves when every socket the server has had is closed. */
  async allClosed(count: number): Promise<void> {
    assert.equal(this.closed.length, count);
    await within(Promise.all(this.closed), "the server to close its sockets");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.close();
    this.httpServer.close();
    this.httpServer.closeAllConnections();
  }
}

function upgradeOf(path: string, headers: string = ""): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`
  );
}

const HANDSHAKE = "/engine.io/?EIO=4&transport=websocket";

describe("engine on node: the sockets of upgrade requests", () => {
  it("for another path, followed by bytes and the end, are closed", async () => {
    await using running = await WatchedEngine.start();
    for (let count = 0; count < 5; count++) {
      const client = await running.connect();
      const seen = once(running.httpServer, "upgrade");
      client.write(upgradeOf("/other"));
      await seen;
      client.end("some bytes");
      await within(once(client, "close"), "the client's socket to close");
    }
    await running.allClosed(5);
  });

  it("for another path, on a connection that was answered before, are closed", async () => {
    await using running = await WatchedEngine.start();
    const client = await running.connect();
    client.write("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(client, "data");
    client.write(upgradeOf("/other"));
    await within(once(client, "close"), "the client's socket to close");
    await running.allClosed(1);
  });

  it("that other listeners handle stay open", async () => {
    await using running = await WatchedEngine.start();
    running.httpServer.on("upgrade", (_request, socket) => socket.resume().write("taken"));
    const client = await running.connect();
    const data = once(client, "data");
    client.write(upgradeOf("/other"));
    assert.equal(String((await data)[0]), "taken");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(client.readyState, "open");
    client.destroy();
  });

  it("that are refused, with bytes behind them, are closed", async () => {
    await using running = await WatchedEngine.start();
    const client = await running.connect();
    client.write(`${upgradeOf("/engine.io/?EIO=4&transport=tcp")}some bytes`);
    await within(once(client, "close"), "the client's socket to close");
    await running.allClosed(1);
  });

  const never = {
    "allowRequest holds": { allowRequest: () => {} },
    "generateId holds": {},
    "a middleware holds": {},
  } satisfies Record<string, ServerOptions>;
  for (const [who, options] of Object.entries(never)) {
    for (const [what, bytes] of Object.entries({ "": "", ", with bytes behind it": "some bytes" })) {
      it(`that ${who} are closed when the client ends${what}`, async () => {
        await using running = await WatchedEngine.start(options);
        const asked = new Promise<void>((resolve) => {
          if (who.startsWith("allow")) running.engine.opts.allowRequest = () => resolve();
          else if (who.startsWith("gen")) {
            running.engine.generateId = () => new Promise(() => resolve());
          } else running.engine.use(() => resolve());
        });
        const client = await running.connect();
        client.write(upgradeOf(HANDSHAKE) + bytes);
        await within(asked, "the hook to be asked");
        client.end();
        await running.allClosed(1);
      });
    }
  }

  it("keep the bytes that came while allowRequest decided", async () => {
    let decide: ((error: null, isAllowed: boolean) => void) | undefined;
    await using running = await WatchedEngine.start({
      allowRequest: (_request, done) => void (decide = done as typeof decide),
    });
    const message = new Promise((resolve) =>
      running.engine.on("connection", (session) => session.on("message", resolve)),
    );
    const client = await running.connect();
    client.write(upgradeOf(HANDSHAKE));
    await until(() => decide !== undefined, "allowRequest to be asked");
    // 4hi, masked with zeros
    client.write(Buffer.from([0x81, 0x83, 0, 0, 0, 0, 0x34]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.write(Buffer.from("hi"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    decide!(null, true);
    assert.equal(await within(message, "the message"), "hi");
    client.destroy();
  });

  it("are closed when a client sends without end while allowRequest decides", async () => {
    await using running = await WatchedEngine.start({ allowRequest: () => {} });
    const client = await running.connect();
    client.write(upgradeOf(HANDSHAKE));
    client.write(Buffer.alloc(1_000_000));
    await within(new Promise((resolve) => client.once("close", resolve)), "the client's socket to close");
    await running.allClosed(1);
  });
});

describe("engine on HTTP/2: the streams of extended CONNECT", () => {
  for (const [what, path] of Object.entries({
    "another path": "/other",
    "a transport that is not served": "/engine.io/?EIO=4&transport=tcp",
  })) {
    it(`are closed for ${what}, with bytes behind them`, async () => {
      await using running = await Http2Engine.start();
      const serverSide = once(running.http.server, "stream");
      const stream = running.client.session.request(
        { ":method": "CONNECT", ":protocol": "websocket", ":path": path, "sec-websocket-version": "13" },
        { endStream: false },
      );
      stream.on("error", () => {});
      stream.resume();
      stream.write("some bytes");
      const [onServer] = (await serverSide) as [NodeJS.EventEmitter];
      await within(once(onServer, "close"), "the stream to close");
    });
  }

  it("are closed when the client ends them while allowRequest holds", async () => {
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    await using running = await Http2Engine.start({ allowRequest: () => asked() });
    const serverSide = once(running.http.server, "stream");
    const stream = running.client.session.request(
      { ":method": "CONNECT", ":protocol": "websocket", ":path": WEBSOCKET, "sec-websocket-version": "13" },
      { endStream: false },
    );
    stream.on("error", () => {});
    stream.write("some bytes");
    const [onServer] = (await serverSide) as [NodeJS.EventEmitter];
    const closed = once(onServer, "close");
    await within(isAsked, "the hook to be asked");
    stream.end();
    stream.resume();
    await within(closed, "the stream to close");
  });
});
