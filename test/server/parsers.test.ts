import assert from "node:assert/strict";
import { connectV3, msgpack, officialParser, watched } from "../support/server/parsers.ts";
import type { AnyParser } from "../support/server/parsers.ts";
import { back, heardBy, lost } from "../support/server/recovery.ts";
import { closing } from "../support/waiting/closing.ts";

import { collect, next } from "../support/waiting/events.ts";
import { connected, onEveryTransport, pair, settled, upgraded } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ServerOptions, Socket } from "../support/server/socketio.ts";
import { rawSession } from "../support/server/wires.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

const parsers: Readonly<Record<string, AnyParser>> = {
  "socket.io-msgpack-parser": msgpack,
  "socket.io-parser": officialParser,
};

function start(
  host: ServerHost,
  parser: AnyParser,
  options: Partial<ServerOptions> = {},
): Promise<StartedServer> {
  return host.start({ ...options, parser });
}

for (const [package_, parser] of Object.entries(parsers)) {
  onEveryHost(`parser: ${package_}`, serverHostsAndApp, (host) => {
    onEveryTransport((name, mode) => {
      const connect = async (running: StartedServer, namespace?: string): Promise<Pair> => {
        const made = await pair(running, { ...mode, parser }, namespace);
        if (name === "upgrade") await upgraded(made.client);
        return made;
      };

      it("carries text, bytes and answers both ways", async () => {
        await using running = await start(host, parser);
        const { client, socket } = await connect(running);
        const ends = [client, socket] as unknown as [Socket, Socket];
        for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
          const value = { text: "é", list: [1, -2, 3.5, null, true], bytes: Buffer.from([1, 2, 3]) };
          to.once("q", (got: typeof value, answer: (bytes: Buffer, text: string) => void) => {
            assert.deepEqual({ ...got, bytes: Buffer.from(got.bytes) }, value);
            answer(Buffer.from(got.bytes), "ü");
          });
          const answer = new Promise<unknown[]>((resolve) =>
            from.emit("q", value, (...args: unknown[]) => resolve(args)),
          );
          const [bytes, text] = await answer;
          assert.deepEqual([Buffer.from(bytes as Buffer), text], [value.bytes, "ü"]);
        }
      });

      it("keeps the order of broadcasts and direct events, in a namespace with auth", async () => {
        await using running = await start(host, parser);
        const nsp = running.io.of("/chat");
        const client = running.client({ ...mode, parser, auth: { token: "t" } }, "/chat");
        const [[socket]] = await Promise.all([next<[Socket]>(nsp, "connection"), connected(client)]);
        assert.deepEqual(socket.handshake.auth, { token: "t" });
        await socket.join("room");
        const heard = collect(client, "n", 6);
        for (let index = 0; index < 6; index++) {
          const args = index % 2 ? [index] : [index, Buffer.from([index])];
          if (index % 3 === 0) socket.emit("n", ...args);
          else nsp.to("room").emit("n", ...args);
        }
        assert.deepEqual(
          (await heard).map(([index]) => index),
          [0, 1, 2, 3, 4, 5],
        );
      });

      it("sends the reason of a refusal, and a disconnect", async () => {
        await using running = await start(host, parser);
        running.io.of("/closed").use((_socket, pass) => {
          pass(Object.assign(new Error("no entry"), { data: { code: 7 } }));
        });
        const refused = next<[Error & { data: unknown }]>(
          running.client({ ...mode, parser }, "/closed"),
          "connect_error",
        );
        const unknown = next<[Error]>(running.client({ ...mode, parser }, "/none"), "connect_error");
        const [[error], [other]] = await Promise.all([refused, unknown]);
        assert.deepEqual([error.message, error.data], ["no entry", { code: 7 }]);
        assert.equal(other.message, "Invalid namespace");
        const { client, socket } = await connect(running);
        const gone = next(client, "disconnect");
        socket.disconnect();
        assert.equal((await gone)[0], "io server disconnect");
      });
    });

    it("encodes a broadcast once, whatever transports its receivers use", async () => {
      const account = watched(parser);
      await using running = await start(host, account.parser);
      const pairs: Pair[] = [];
      for (const transports of [["websocket"], ["polling"], ["websocket"]])
        pairs.push(await pair(running, { transports, parser }));
      account.encoded.length = 0;
      const heard = pairs.map(({ client }) => next(client, "ev"));
      running.io.emit("ev", Buffer.from([1]));
      await Promise.all(heard);
      assert.equal(account.encoded.length, 1);
    });

    it("passes bytes to the decoder as Buffers, and destroys each decoder once", async () => {
      const account = watched(parser);
      await using running = await start(host, account.parser);
      const lives: Promise<unknown>[] = [];
      for (const transports of [["websocket"], ["polling"]]) {
        const { client, socket } = await pair(running, { transports, parser });
        const heard = next(socket, "ev");
        client.emit("ev", Buffer.from([1]));
        await heard;
        lives.push(next(socket.conn, "close"));
        client.close();
      }
      await Promise.all(lives);
      const bytes = account.chunks.filter((chunk) => typeof chunk !== "string");
      assert.ok(bytes.length >= 2);
      assert.ok(bytes.every((chunk) => Buffer.isBuffer(chunk)));
      assert.deepEqual([account.made, account.destroyed], [2, 2]);
    });

    it("sends a returning client the packets it has missed", async () => {
      await using running = await start(host, parser, { connectionStateRecovery: {} });
      const { client, socket } = await pair(running, { transports: ["websocket"], parser });
      await socket.join("room");
      const first = next(client, "first");
      socket.emit("first");
      await first;
      await lost(client, socket);
      const heard = heardBy(client);
      running.io.to("room").emit("missed", Buffer.from([1]));
      const again = await back(running, client);
      const live = next(client, "live");
      running.io.to("room").emit("live");
      await live;
      assert.deepEqual([again.recovered, again.id], [true, socket.id]);
      assert.deepEqual(heard, [["missed", Buffer.from([1])], ["live"]]);
    });

    it("serves the client of Socket.IO 3", async () => {
      await using running = await start(host, parser);
      const client = connectV3(running.url, { forceNew: true, reconnection: false, parser });
      using _client = closing(() => client.close());
      const [[socket]] = await Promise.all([next<[Socket]>(running.io, "connection"), connected(client)]);
      socket.on("q", (bytes: Buffer, answer: (bytes: Buffer) => void) => answer(bytes));
      const answer = new Promise((resolve) => client.emit("q", Buffer.from([1]), resolve));
      assert.deepEqual(Buffer.from((await answer) as Buffer), Buffer.from([1]));
      await settled(client, socket);
    });
  });
}

onEveryHost("parser: socket.io-msgpack-parser, from a hand-written client", serverHostsAndApp, (host) => {
  const encoder = new msgpack.Encoder();
  const encode = (packet: object): Buffer => (encoder.encode(packet as never) as [Buffer])[0];

  it("writes each packet as one binary frame", async () => {
    await using running = await start(host, msgpack);
    const wire = await rawSession(running);
    const connection = next<[Socket]>(running.io, "connection");
    wire.sendBinary(encode({ type: 0, nsp: "/" }));
    const [socket] = await connection;
    socket.emit("ev", Buffer.from([1]));
    const decoded: object[] = [];
    const decoder = new msgpack.Decoder();
    decoder.on("decoded", ({ type, nsp, data }) => decoded.push({ type, nsp, data }));
    for (const frame of await wire.take(2)) decoder.add(frame);
    const [accepted, event] = decoded as [{ data: { sid: string } }, object];
    assert.equal(accepted.data.sid, socket.id);
    assert.deepEqual(event, { type: 2, nsp: "/", data: ["ev", Buffer.from([1])] });
  });

  const bad: Record<string, [Buffer | string, RegExp]> = {
    "bytes that are no packet": [Buffer.from([0xc1]), /./],
    "a packet of an unknown type": [encode({ type: 9, nsp: "/" }), /invalid packet type/],
    "a text": ['42["ev"]', /./],
  };
  for (const [what, [message, expected]] of Object.entries(bad)) {
    it(`${what}: forced close`, async () => {
      await using running = await start(host, msgpack);
      const wire = await rawSession(running);
      const connection = next<[Socket]>(running.io, "connection");
      wire.sendBinary(encode({ type: 0, nsp: "/" }));
      const [socket] = await connection;
      await wire.next();
      const left = next<[string, (Error & { code: string; cause: Error }) | undefined]>(socket, "disconnect");
      if (typeof message === "string") wire.sendText(message);
      else wire.sendBinary(message);
      const [reason, description] = await left;
      assert.equal(reason, "forced close");

      assert.equal(description?.code, "BAD_SOCKET_PACKET");
      assert.match(description?.cause.message, expected);

      await wire.closed;
    });
  }

  it("a reserved event is refused", async () => {
    await using running = await start(host, msgpack);
    const wire = await rawSession(running);
    const connection = next<[Socket]>(running.io, "connection");
    wire.sendBinary(encode({ type: 0, nsp: "/" }));
    const [socket] = await connection;
    const left = next<[string, { code: string }]>(socket, "disconnect");
    wire.sendBinary(encode({ type: 2, nsp: "/", data: ["disconnect", "made up"] }));
    const [reason, { code }] = await left;
    assert.deepEqual([reason, code], ["forced close", "RESERVED_EVENT"]);
  });
});
