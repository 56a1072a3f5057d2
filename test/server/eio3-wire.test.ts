import assert from "node:assert/strict";
import type { Socket } from "socket.io";
import { framed, openPacket } from "../support/engine/legacy-peers.ts";
import { NetworkClient } from "../support/wire/network-client.ts";
import { within } from "../support/waiting/queue.ts";

import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import type { WireSocket } from "../support/wire/client.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

interface WireServer extends StartedServer {
  readonly wire: NetworkClient;
}

async function start(host: ServerHost, options: object = {}): Promise<WireServer> {
  const running = await host.start({ allowEIO3: true, ...options });
  const wire = new NetworkClient(running.port);
  running.closeWith(() => wire.close());
  return Object.assign(running, { wire });
}

function path(query: string): string {
  return `/socket.io/?EIO=3&${query}`;
}

/** The body of a poll. */
async function poll(server: WireServer, query: string): Promise<string> {
  const response = await within(server.wire.get(path(`transport=polling${query}`)), "a poll");
  assert.equal(response.status, 200, response.body);
  return response.body;
}

function sidOf(open: string): string {
  return /\bsid\\?":\\?"([^"\\]+)/.exec(open)?.[1] ?? assert.fail(open);
}

/** A WebSocket of protocol 3 on which the root namespace was opened; gives the session id as well. */
async function open(server: WireServer, query = ""): Promise<{ wire: WireSocket; sid: string }> {
  const wire = await server.wire.websocket(path(`transport=websocket${query}`));
  const sid = sidOf((await wire.next()) as string);
  assert.equal(await wire.next(), "40");
  return { wire, sid };
}

/** The next connection to the namespace. */
function connection(server: WireServer, namespace = "/"): Promise<Socket> {
  const come = new Promise<Socket>((resolve) => {
    server.io.of(namespace).once("connection", resolve);
  });
  return within(come, "a connection");
}

onEveryHost("server: protocol 3 on the wire", serverHosts, (host) => {
  it("opens the root namespace by itself, in the response to the poll after the handshake", async () => {
    await using server = await start(host);
    server.io.on("connection", (socket) => socket.emit("hello", "é"));
    const first = await poll(server, "");
    const sid = sidOf(first);
    assert.equal(first, framed(openPacket(sid, ["websocket"])));
    assert.equal(await poll(server, `&sid=${sid}`), '2:4015:42["hello","é"]');
  });

  it("opens the root namespace by itself over a WebSocket", async () => {
    await using server = await start(host);
    server.io.on("connection", (socket) => socket.emit("hello"));
    const wire = await server.wire.websocket(path("transport=websocket"));
    const [first, ...rest] = (await wire.take(3)) as string[];
    assert.equal(first, openPacket(sidOf(first!), []));
    assert.deepEqual(rest, ["40", '42["hello"]']);
  });

  it("opens the root namespace over JSONP", async () => {
    await using server = await start(host);
    server.io.on("connection", (socket) => socket.on("ask", (text, answer) => answer(text)));
    const first = await poll(server, "&j=2&b64=1");
    const query = `&j=2&b64=1&sid=${sidOf(first)}`;
    assert.equal(await poll(server, query), '___eio[2]("2:40");');
    const asked = '420["ask","a\\nb"]';
    const body = new URLSearchParams({ d: framed(asked).replaceAll("\\n", "\\\\n") }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const posted = await server.wire.post(path(`transport=polling${query}`), body, { headers });
    assert.equal(posted.body, "ok");
    assert.equal(await poll(server, query), `___eio[2](${JSON.stringify(framed('430["a\\nb"]'))});`);
  });

  it("refuses it if it is not allowed, by polling", async () => {
    await using server = await start(host, { allowEIO3: false });
    const response = await server.wire.get(path("transport=polling"));
    assert.equal(response.status, 400);
    assert.equal(response.body, '{"code":5,"message":"Unsupported protocol version"}');
  });
  it("refuses it if it is not allowed, before the upgrade", async () => {
    await using server = await start(host, { allowEIO3: false });
    const response = await server.wire.refused(path("transport=websocket"));
    assert.deepEqual([response.status, response.body], [400, "Unsupported protocol version"]);
  });

  it("sends broadcasts of bytes with the type byte first", async () => {
    await using server = await start(host);
    const { wire } = await open(server);
    server.io.emit("bytes", hex("010203"));
    assert.deepEqual(await wire.take(2), ['451-["bytes",{"_placeholder":true,"num":0}]', hex("04010203")]);
  });

  it("sends one broadcast to clients of both protocols, each in its own format", async () => {
    await using server = await start(host);
    const old = await open(server);
    const base64 = await open(server, "&b64=1");
    const current = await server.wire.websocket("/socket.io/?EIO=4&transport=websocket");
    await current.next();
    current.sendText("40");
    await current.next();
    const text = '451-["bytes",{"_placeholder":true,"num":0}]';
    for (const bytes of [hex("ff00"), hex("0405")]) server.io.emit("bytes", bytes);
    assert.deepEqual(await old.wire.take(4), [text, hex("04ff00"), text, hex("040405")]);
    assert.deepEqual(await base64.wire.take(4), [text, "b4/wA=", text, "b4BAU="]);
    assert.deepEqual(await current.take(4), [text, hex("ff00"), text, hex("0405")]);
  });

  it("sends bytes by polling in a binary payload", async () => {
    await using server = await start(host);
    const sid = sidOf(await poll(server, ""));
    assert.equal(await poll(server, `&sid=${sid}`), "2:40");
    server.io.emit("b", hex("0102"));
    const { raw } = await server.wire.get(path(`transport=polling&sid=${sid}`));
    const text = '451-["b",{"_placeholder":true,"num":0}]';
    const head = Buffer.concat([hex("000309ff"), Buffer.from(text)]);
    assert.equal(raw.toString("hex"), head.toString("hex") + "0103ff040102");
  });

  it("sends and receives acks with bytes", async () => {
    await using server = await start(host);
    const connected = connection(server);
    const { wire } = await open(server);
    const socket = await connected;
    socket.on("ask", (bytes: Buffer, answer: (...args: unknown[]) => void) => answer("got", bytes));
    wire.sendText('451-7["ask",{"_placeholder":true,"num":0}]');
    wire.sendBinary(hex("04aabb"));
    assert.deepEqual(await wire.take(2), ['461-7["got",{"_placeholder":true,"num":0}]', hex("04aabb")]);
    const answered = socket.emitWithAck("question", 1);
    assert.equal(await wire.next(), '420["question",1]');
    wire.sendText('461-0[{"_placeholder":true,"num":0}]');
    wire.sendBinary(hex("0401"));
    assert.deepEqual(await answered, hex("01"));
  });

  it("uses the id of the session for the root socket", async () => {
    await using server = await start(host);
    const connected = connection(server);
    const { sid } = await open(server);
    const socket = await connected;
    assert.equal(socket.id, sid);
    assert.equal(socket.conn.protocol, 3);
    assert.deepEqual([...socket.rooms], [sid]);
  });

  it("reads credentials from the query of a namespace", async () => {
    await using server = await start(host);
    const connected = connection(server, "/a");
    const { wire, sid } = await open(server);
    wire.sendText("40/a?token=x%20y&n=1,");
    assert.equal(await wire.next(), "40/a,");
    const socket = await connected;
    assert.equal(socket.id, `/a#${sid}`);
    assert.deepEqual({ ...socket.handshake.auth }, { token: "x y", n: "1" });
  });

  it("has no credentials for the root namespace", async () => {
    await using server = await start(host);
    const connected = connection(server);
    await open(server, "&token=x");
    const { handshake } = await connected;
    assert.deepEqual(handshake.auth, {});
    assert.equal(handshake.query["token"], "x");
  });

  it("answers an unknown namespace with an error packet", async () => {
    await using server = await start(host);
    const { wire } = await open(server);
    wire.sendText("40/nope?token=x,");
    assert.equal(await wire.next(), '44/nope,{"message":"Invalid namespace"}');
  });

  for (const [what, data, packet] of [
    ["the message", undefined, '44/a,"not you"'],
    ["the data, where there is some", { code: 7 }, '44/a,{"code":7}'],
  ] as const) {
    it(`answers a refusal of a middleware with ${what}`, async () => {
      await using server = await start(host);
      server.io.of("/a").use((_, next) => next(Object.assign(new Error("not you"), { data })));
      const { wire } = await open(server);
      wire.sendText("40/a");
      assert.equal(await wire.next(), packet);
    });
  }

  it("answers a refusal of the root namespace in place of its CONNECT", async () => {
    await using server = await start(host);
    server.io.use((_, next) => next(new Error("not you")));
    const wire = await server.wire.websocket(path("transport=websocket"));
    const [, refusal] = await wire.take(2);
    assert.equal(refusal, '44"not you"');
  });

  it("leaves a namespace and joins it again", async () => {
    await using server = await start(host);
    const { wire, sid } = await open(server);
    for (let round = 0; round < 2; round++) {
      const connected = connection(server, "/a");
      wire.sendText("40/a");
      assert.equal(await wire.next(), "40/a,");
      const socket = await connected;
      assert.equal(socket.id, `/a#${sid}`);
      const left = new Promise((resolve) => void socket.once("disconnect", resolve));
      wire.sendText("41/a");
      assert.equal(await within(left, "the disconnect"), "client namespace disconnect");
    }
  });

  it("notifies a client that it is disconnected from a namespace", async () => {
    await using server = await start(host);
    const connected = connection(server, "/a");
    const { wire } = await open(server);
    wire.sendText("40/a");
    await wire.next();
    (await connected).disconnect();
    assert.equal(await wire.next(), "41/a,");
    server.io.emit("still", "here");
    assert.equal(await wire.next(), '42["still","here"]');
  });

  it("accepts without ids, also with connection state recovery", async () => {
    await using server = await start(host, { connectionStateRecovery: {} });
    server.io.of("/a");
    const { wire } = await open(server);
    wire.sendText("40/a");
    assert.equal(await wire.next(), "40/a,");
  });
});
