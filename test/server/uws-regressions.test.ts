// What is wrong with the official server on uWebSockets.js, and must not be with ours: a test each, named by
// what was wrong. ORACLE=uws runs the official server through attachApp(): then these fail, as they should.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { fileURLToPath } from "node:url";
import * as uWS from "uWebSockets.js";
import { NetworkClient } from "../support/network-client.ts";
import {
  afterThisTest,
  attachedHost,
  connected,
  hosts,
  isOracle,
  itSurvives,
  listen,
  listenApp,
  next,
  pair,
  rawPair,
  settled,
  socketio,
  suite,
  track,
} from "../support/socketio.ts";
import type { Host, Running, Socket } from "../support/socketio.ts";

const tls = {
  cert: new URL("../support/tls/cert.pem", import.meta.url),
  key: new URL("../support/tls/key.pem", import.meta.url),
};
const everyHost: readonly Host[] = isOracle ? hosts : [...hosts, attachedHost];

type LateResponse = ServerResponse & { _implicitHeader(): void; _header: unknown };

/** What express-session does to a response, by way of on-headers. */
function addHeaderLate(_req: unknown, res: LateResponse, done: () => void): void {
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => LateResponse;
  const end = res.end.bind(res) as (...args: unknown[]) => LateResponse;
  res.writeHead = function (this: LateResponse, ...args: unknown[]) {
    if (!this.getHeader("x-late")) this.setHeader("x-late", "1");
    return writeHead(...args);
  };
  res.end = function (this: LateResponse, ...args: unknown[]) {
    if (!this._header) this._implicitHeader();
    return end(...args);
  };
  done();
}

async function secureNode(): Promise<Running> {
  const server = createSecureServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) });
  return track(new socketio.Server(server), await listen(server), "https");
}

async function secureUws(): Promise<Running> {
  const app = uWS.SSLApp({ cert_file_name: fileURLToPath(tls.cert), key_file_name: fileURLToPath(tls.key) });
  const io = new socketio.Server();
  io.attachApp(app);
  return track(io, listenApp(app), "https");
}

for (const host of everyHost) {
  suite(`what was wrong with attachApp() [${host.name}]`, () => {
    it("a slow reader silently missed most of 60 broadcasts of 100 KB", async () => {
      const running = await host.start({ pingInterval: 60_000 });
      const { wire } = await rawPair(running);
      wire.pause();
      for (let index = 0; index < 60; index++) {
        running.io.emit("n", index, "x".repeat(100_000));
        await new Promise(setImmediate);
      }
      wire.resume();
      const seen = (await wire.take(60)).map((frame) =>
        Number(/"n",(\d+)/.exec(String(frame).slice(0, 30))?.[1]),
      );
      assert.deepEqual(
        seen,
        Array.from({ length: 60 }, (_, index) => index),
      );
    });

    it("the first server's broadcasts reached nobody once a second server was attached", async () => {
      const [first, second] = [await host.start(), await (everyHost.at(-1) as Host).start()];
      const { client } = await pair(first);
      await pair(second);
      const heard = next(client, "ev");
      first.io.emit("ev", 1);
      assert.deepEqual(await heard, [1]);
    });

    itSurvives("a server on node:http threw once a server was attached to an app", async () => {
      const app = uWS.App();
      const attached = new socketio.Server();
      attached.attachApp(app);
      track(attached, listenApp(app));
      const { client, socket } = await pair(await host.start(), { transports: ["websocket"] });
      await socket.join("room");
      const heard = next(client, "ev");
      socket.nsp.to("room").emit("ev", 1);
      assert.deepEqual(await heard, [1]);
    });

    it("closing any server changed the others", async () => {
      const [staying, closing] = [await host.start(), await host.start()];
      const { client, socket } = await pair(staying);
      await closing.io.close();
      await socket.join("room");
      const heard = next(client, "ev");
      staying.io.to("room").emit("ev", 1);
      assert.deepEqual(await heard, [1]);
    });

    it("a client that left a namespace still received its broadcasts", async () => {
      const running = await host.start();
      const { wire } = await rawPair(running);
      const connection = next<[Socket]>(running.io.of("/foo"), "connection");
      wire.sendText("40/foo,");
      await wire.next();
      const [socket] = await connection;
      const left = next(socket, "disconnect");
      wire.sendText("41/foo,");
      await left;
      running.io.of("/foo").emit("after-leaving");
      running.io.emit("here");
      assert.equal(await wire.next(), '42["here"]');
    });

    it("an event for a room joined in a middleware came before CONNECT", async () => {
      const running = await host.start();
      running.io.use((socket, done) => {
        void socket.join("room");
        running.io.to("room").emit("early");
        setImmediate(done);
      });
      const client = running.client({ transports: ["websocket"] });
      const types: unknown[] = [];
      client.io.on("packet", (packet: { type: number }) => types.push(packet.type));
      await connected(client);
      assert.deepEqual(types, [0]);
    });

    it("onAnyOutgoing was not called for broadcasts", async () => {
      const running = await host.start();
      const { socket } = await pair(running, { transports: ["websocket"] });
      const seen: unknown[][] = [];
      socket.onAnyOutgoing((...args) => seen.push(args));
      running.io.emit("ev", 1);
      running.io.to(socket.id).emit("ev", 2);
      assert.deepEqual(seen, [
        ["ev", 1],
        ["ev", 2],
      ]);
    });

    it("packetCreate was not emitted for broadcasts", async () => {
      const running = await host.start();
      const { client, socket } = await pair(running, { transports: ["websocket"] });
      await settled(client, socket);
      const created: unknown[] = [];
      socket.conn.on("packetCreate", ({ type, data }: { type: string; data: string }) =>
        created.push([type, data]),
      );
      const heard = next(client, "ev");
      running.io.emit("ev", 1);
      await heard;
      assert.deepEqual(created, [["message", '2["ev",1]']]);
    });

    it("volatile was ignored on broadcasts", async () => {
      const running = await host.start({ pingInterval: 60_000 });
      const { wire, socket } = await rawPair(running);
      wire.pause();
      for (let index = 0; index < 12; index++) socket.emit("f", "x".repeat(1_000_000));
      await new Promise(setImmediate);
      running.io.volatile.emit("dropped");
      socket.emit("end");
      wire.resume();
      const frames = await wire.take(13);
      assert.equal(frames.at(-1), '42["end"]');
    });

    it("a POST in chunks was refused with 411", async () => {
      const running = await host.start();
      const { client, socket } = await pair(running, { transports: ["polling"] });
      const heard = next(socket, "chunked");
      const body = new ReadableStream({
        start(stream) {
          for (const part of ['42["chu', 'nked"]']) stream.enqueue(new TextEncoder().encode(part));
          stream.close();
        },
      });
      const url = `${running.url}/socket.io/?EIO=4&transport=polling&sid=${client.io.engine.id}`;
      const answer = await fetch(url, { method: "POST", body, duplex: "half" } as RequestInit);
      assert.equal(answer.status, 200);
      await heard;
    });

    it("an oversized WebSocket message closed with 1006 and without a detail", async () => {
      const { wire, socket } = await rawPair(await host.start({ maxHttpBufferSize: 1_000 }));
      const gone = next<[string, Error]>(socket, "disconnect");
      wire.sendText(`42["ev","${"x".repeat(2_000)}"]`);
      const [reason, detail] = await gone;
      assert.equal(reason, "transport error");
      assert.match(detail.message, /Max payload size exceeded/);
      assert.equal((await wire.closed).code, 1009);
    });

    it("an oversized POST ended the session", async () => {
      const running = await host.start({ maxHttpBufferSize: 1_000 });
      const { client, socket } = await pair(running, { transports: ["polling"] });
      const wire = new NetworkClient(running.port);
      afterThisTest(() => wire.close());
      const path = `/socket.io/?EIO=4&transport=polling&sid=${client.io.engine.id}`;
      const answer = await wire.post(path, `42["ev","${"x".repeat(2_000)}"]`);
      assert.equal(answer.status, 413);
      await settled(client, socket);
    });

    it("handshake.url lost its query", async () => {
      for (const transports of [["polling"], ["websocket"]] as ("polling" | "websocket")[][]) {
        const { socket } = await pair(await host.start(), { transports, query: { x: "1" } });
        assert.equal(new URL(socket.handshake.url, "http://h").searchParams.get("x"), "1");
        assert.equal(new URL(String(socket.request.url), "http://h").searchParams.get("x"), "1");
      }
    });

    it("socket.request.socket was undefined", async () => {
      const { socket } = await pair(await host.start());
      assert.match(String(socket.request.socket.remoteAddress), /127\.0\.0\.1$/);
    });

    it("io.httpServer was undefined", async () => {
      const { io } = await host.start();
      for (const method of ["address", "close", "on"] as const)
        assert.equal(typeof io.httpServer[method], "function");
    });

    for (const transport of ["polling", "websocket"] as const) {
      it(`a middleware that adds headers at the last moment threw: they arrive over ${transport}`, async () => {
        const running = await host.start();
        running.io.engine.use(addHeaderLate);
        const wire = new NetworkClient(running.port);
        afterThisTest(() => wire.close());
        const path = `/socket.io/?EIO=4&transport=${transport}`;
        const { headers } = transport === "polling" ? await wire.get(path) : await wire.websocket(path);
        assert.equal(headers["x-late"], "1");
        await connected(running.client({ transports: [transport] }));
      });
    }

    it("the client bundle was neither compressed nor served with CORS headers", async () => {
      const running = await host.start({ cors: { origin: "http://app.test" } });
      const wire = new NetworkClient(running.port);
      afterThisTest(() => wire.close());
      const { headers } = await wire.get("/socket.io/socket.io.js", { headers: { "accept-encoding": "br" } });
      assert.equal(headers["content-encoding"], "br");
      assert.equal(headers["access-control-allow-origin"], "http://app.test");
    });

    it("a polling response is compressed, text and long", async () => {
      const running = await host.start();
      const url = `${running.url}/socket.io/?EIO=4&transport=polling`;
      const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
      const connection = next<[Socket]>(running.io, "connection");
      await fetch(`${url}&sid=${sid}`, { method: "POST", body: "40" });
      const [socket] = await connection;
      await (await fetch(`${url}&sid=${sid}`)).text();
      socket.emit("long", "x".repeat(10_000));
      const answer = await fetch(`${url}&sid=${sid}`, { headers: { "accept-encoding": "gzip" } });
      assert.equal(answer.headers.get("content-encoding"), "gzip");
      assert.equal((await answer.text()).length, '42["long",""]'.length + 10_000);
    });

    it("initial_headers and headers were not emitted for WebSocket", async () => {
      const running = await host.start();
      running.io.engine.on(
        "initial_headers",
        (headers: Record<string, string>) => (headers["x-initial"] = "1"),
      );
      running.io.engine.on("headers", (headers: Record<string, string>) => (headers["x-each"] = "2"));
      const { wire } = await rawPair(running);
      assert.equal(wire.headers["x-initial"], "1");
      assert.equal(wire.headers["x-each"], "2");
    });

    it("a direct emit and a broadcast kept their order, text and binary", async () => {
      const running = await host.start();
      const { client, socket } = await pair(running, { transports: ["websocket"] });
      const seen: unknown[] = [];
      client.on("n", (index) => seen.push(index));
      for (let index = 0; index < 40; index++) {
        const args = index % 4 < 2 ? [index] : [index, Buffer.from([index])];
        if (index % 2) socket.emit("n", ...args);
        else running.io.emit("n", ...args);
      }
      await settled(client, socket);
      assert.deepEqual(
        seen,
        Array.from({ length: 40 }, (_, index) => index),
      );
    });
  });
}

suite("handshake.secure was always false with attachApp()", () => {
  const starts = {
    "node:https": secureNode,
    ...(hosts.length === 1 && hosts[0]?.name === "node" ? {} : { "uWS.SSLApp": secureUws }),
  };
  for (const [name, start] of Object.entries(starts)) {
    for (const transport of ["polling", "websocket"] as const) {
      it(`it is true on ${name} over ${transport}`, async () => {
        const { socket } = await pair(await start(), { transports: [transport], rejectUnauthorized: false });
        assert.equal(socket.handshake.secure, true);
      });
    }
  }
});
