import assert from "node:assert/strict";
import { openOldClient, openOldManager } from "../support/server/old-clients.ts";
import type { OldClient, OldClientOptions } from "../support/server/old-clients.ts";
import { until } from "../support/engine/peers.ts";
import { closing } from "../support/waiting/closing.ts";

import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { onEveryTransport } from "../support/server/clients.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

type Mode = Pick<OldClientOptions, "transports">;

function start(host: ServerHost, options: object = {}): Promise<StartedServer> {
  return host.start({ allowEIO3: true, ...options });
}

function open(server: StartedServer, mode: Mode, namespace = "/", options: OldClientOptions = {}): OldClient {
  const client = openOldClient(server.url + namespace, { ...mode, ...options });
  server.closeWith(() => client.close());
  return client;
}

interface OldPair {
  client: OldClient;
  socket: Socket;
}

/** A client and its socket, both connected, the upgrade over where there is one. */
async function pair(server: StartedServer, mode: Mode, namespace = "/"): Promise<OldPair> {
  const connection = next<[Socket]>(server.io.of(namespace), "connection");
  const client = open(server, mode, namespace);
  const [[socket]] = await Promise.all([connection, next(client, "connect")]);
  const last = mode.transports?.at(-1);
  await until(() => socket.conn.transport.name === last, "the upgrade");
  return { client, socket };
}

function sessionId(socket: Socket): string {
  return (socket.conn as unknown as { id: string }).id;
}

const bytes = Buffer.from([0, 1, 4, 0x7f, 0x80, 0xff]);
const texts = ["", "plain", "é€", "😀 👩‍👩‍👧", "\u2028", "line\nline\\nline", "x".repeat(30_000)];

onEveryHost("server: socket.io-client 2", serverHosts, (host) => {
  onEveryTransport((_, mode) => {
    const old = mode as Mode;

    it("connects with the ids of its protocol", async () => {
      await using server = await start(host);
      const connection = next<[Socket]>(server.io.of("/a"), "connection");
      const { client, socket } = await pair(server, old);
      assert.equal(client.id, socket.id);
      assert.equal(socket.id, sessionId(socket));
      const manager = openOldManager(server.url, old);
      const other = manager.socket("/a");
      using _other = closing(() => other.close());
      const [[inNamespace]] = await Promise.all([connection, next(other, "connect")]);
      assert.equal(other.id, inNamespace.id);
      assert.equal(inNamespace.id, `/a#${sessionId(inNamespace)}`);
    });

    it("exchanges any text, in order", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const seen: unknown[] = [];
      const back: unknown[] = [];
      socket.on("text", (text) => {
        seen.push(text);
        socket.emit("text", text);
      });
      client.on("text", (text) => back.push(text));
      for (const text of texts) client.emit("text", text);
      await until(() => back.length === texts.length, "all texts");
      assert.deepEqual(seen, texts);
      assert.deepEqual(back, texts);
    });

    it("exchanges binary, in order with text", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const sent = [
        ["before"],
        [bytes, { deep: [bytes] }],
        ["😀"],
        [Buffer.alloc(20_000, 7), "x"],
        ["after"],
      ];
      const seen: unknown[] = [];
      const back: unknown[] = [];
      socket.on("data", (...args: unknown[]) => {
        seen.push(args);
        socket.emit("data", ...args);
      });
      client.on("data", (...args) => back.push(args));
      for (const args of sent) client.emit("data", ...args);
      await until(() => back.length === sent.length, "all data");
      assert.deepEqual(seen, sent);
      assert.deepEqual(back, sent);
    });

    it("receives broadcasts, bytes and text, together with current clients", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      await socket.join("room");
      const connection = next<[Socket]>(server.io, "connection");
      const current = server.client();
      await (await connection)[0].join("room");
      const seen: unknown[] = [];
      client.on("news", (...args) => seen.push(args));
      const seenByCurrent: unknown[] = [];
      current.on("news", (...args: unknown[]) => seenByCurrent.push(args));
      const sent = [[bytes], ["😀"], [{ a: bytes, b: Buffer.alloc(0) }, 1]];
      server.io.emit("news", ...(sent[0] as [Buffer]));
      server.io.to("room").emit("news", ...(sent[1] as [string]));
      server.io.in("room").emit("news", ...(sent[2] as unknown[]));
      await until(() => seen.length === 3 && seenByCurrent.length === 3, "all news");
      assert.deepEqual(seen, sent);
      assert.deepEqual(seenByCurrent, sent);
    });

    it("requests and answers acks", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      socket.on("ask", (value, answer) => answer("server", value));
      const answered = new Promise((resolve) => {
        client.emit("ask", bytes, (...args: unknown[]) => resolve(args));
      });
      assert.deepEqual(await answered, ["server", bytes]);
      client.on("ask", (value: unknown, answer: (value: unknown) => void) => answer(value));
      assert.equal(await socket.emitWithAck("ask", "text 😀"), "text 😀");
      assert.deepEqual(await socket.timeout(5_000).emitWithAck("ask", { bytes }), { bytes });
      assert.deepEqual(await server.io.timeout(5_000).emitWithAck("ask", bytes), [bytes]);
    });

    it("shares one connection among namespaces, each with its query", async () => {
      await using server = await start(host);
      const a = next<[Socket]>(server.io.of("/a"), "connection");
      const b = next<[Socket]>(server.io.of("/b"), "connection");
      const manager = openOldManager(server.url, { ...old, query: { of: "manager" } });
      const inA = manager.socket("/a", { query: { token: "x y&z" } });
      const inB = manager.socket("/b");
      using _closing = closing(() => [inA, inB].forEach((client) => client.close()));
      await Promise.all([next(inA, "connect"), next(inB, "connect")]);
      const [[socketA], [socketB]] = await Promise.all([a, b]);
      assert.equal(socketA.conn, socketB.conn);
      assert.deepEqual({ ...socketA.handshake.auth }, { token: "x y&z" });
      assert.deepEqual({ ...socketB.handshake.auth }, {});
      assert.equal(socketA.handshake.query["of"], "manager");
      const heard = next(inA, "only");
      inB.on("only", () => assert.fail("for the other namespace"));
      server.io.of("/a").emit("only", 1);
      assert.deepEqual(await heard, [1]);
    });

    it("gets the reason of a refusal", async () => {
      await using server = await start(host);
      server.io.of("/text").use((_, refuse) => refuse(new Error("not you")));
      server.io.of("/data").use((_, refuse) => refuse(Object.assign(new Error("no"), { data: { code: 7 } })));
      assert.deepEqual(await next(open(server, old, "/text"), "error"), ["not you"]);
      assert.deepEqual(await next(open(server, old, "/data"), "error"), [{ code: 7 }]);
      assert.deepEqual(await next(open(server, old, "/nope"), "error"), [{ message: "Invalid namespace" }]);
    });

    it("gets the reason of a refusal at the root", async () => {
      await using server = await start(host);
      server.io.use((_, refuse) => refuse(new Error("not you")));
      const client = open(server, old);
      client.on("connect", () => assert.fail("connected"));
      assert.deepEqual(await next(client, "error"), ["not you"]);
    });

    it("cannot connect if its protocol is not allowed", async () => {
      await using server = await start(host, { allowEIO3: false });
      const error = next<[{ code: number }]>(server.io.engine, "connection_error");
      const client = open(server, old);
      const [failure] = await next<[Error]>(client, "connect_error");
      assert.match(failure.message, /^(xhr poll|websocket) error$/);
      assert.equal((await error)[0].code, 5);
    });

    it("gets the server's disconnect", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const heard = next(client, "disconnect");
      const left = next(socket, "disconnect");
      socket.emit("last", "words");
      const last = next(client, "last");
      socket.disconnect();
      assert.deepEqual(await last, ["words"]);
      assert.deepEqual(await heard, ["io server disconnect"]);
      assert.equal((await left)[0], "server namespace disconnect");
    });

    it("gets the end of the connection by the server", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const heard = next(client, "disconnect");
      socket.disconnect(true);
      assert.match(String((await heard)[0]), /^(io server disconnect|transport close)$/);
      await until(() => server.io.engine.clientsCount === 0, "the end of the session");
    });

    it("disconnects by itself", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const left = next(socket, "disconnect");
      client.close();
      assert.match(String((await left)[0]), /^(client namespace disconnect|transport close)$/);
      await until(() => server.io.engine.clientsCount === 0, "the end of the session");
    });

    it("disconnects when its connection drops", async () => {
      await using server = await start(host);
      const { client, socket } = await pair(server, old);
      const left = next(socket, "disconnect");
      client.io.engine.close();
      assert.equal((await left)[0], "transport close");
    });

    it("stays connected by sending pings", async () => {
      await using server = await start(host, { pingInterval: 60, pingTimeout: 3_000 });
      const { client, socket } = await pair(server, old);
      let heartbeats = 0;
      (socket.conn as unknown as NodeJS.EventEmitter).on("heartbeat", () => heartbeats++);
      await until(() => heartbeats >= 3, "three heartbeats");
      assert.equal(client.connected, true);
      assert.equal(socket.connected, true);
    });

    it("reconnects by itself, as another socket", async () => {
      await using server = await start(host);
      const connection = next<[Socket]>(server.io, "connection");
      const reconnects = { reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 1 };
      const client = open(server, old, "/", reconnects);
      const [[first]] = await Promise.all([connection, next(client, "connect")]);
      const again = next<[Socket]>(server.io, "connection");
      const connected = next(client, "reconnect");
      first.conn.close();
      const [[second]] = await Promise.all([again, connected]);
      assert.notEqual(second.id, first.id);
      await until(() => client.connected, "the client to connect again");
      assert.equal(client.id, second.id);
    });
  });
});
