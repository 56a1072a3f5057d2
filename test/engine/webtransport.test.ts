import assert from "node:assert/strict";
import type { Engine as OwnEngine } from "@tidewire/engine";
import type { Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { received, until } from "../support/engine/peers.ts";
import { uncaught } from "../support/process/uncaught.ts";
import {
  connectWebTransport,
  openWebTransport,
  startWithWebTransport,
} from "../support/webtransport/engine.ts";
import { endOf } from "../support/webtransport/pair.ts";

/** A promise, and what resolves it. */
function held(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

onEveryHost("engine: WebTransport", engineHosts, (host) => {
  host.it("answers an open packet with the handshake", async () => {
    await using server = await startWithWebTransport(host, {
      pingInterval: 300,
      pingTimeout: 200,
      maxHttpBufferSize: 1000,
    });
    const { stream } = connectWebTransport(server);
    await stream.write('01 "0"');
    const session = await server.nextSession();
    const settings = '"upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000';
    assert.equal((await stream.frame()).toString(), `0{"sid":"${session.id}",${settings}}`);
    assert.match(session.id, /^[\w-]{20}$/);
  });

  host.it("opens a session without a request", async () => {
    await using server = await startWithWebTransport(host);
    const { session } = await openWebTransport(server);
    assert.equal(session.transport.name, "webtransport");
    assert.equal(session.protocol, 4);
    assert.equal(session.request, null);
    assert.equal(server.engine.clients[session.id], session);
    assert.equal(server.engine.clientsCount, 1);
  });

  host.it("counts its messages and bytes with the option stats", async () => {
    await using server = await startWithWebTransport(host, { stats: true } as object);
    const { session, stream } = await openWebTransport(server);
    const engine = server.engine as unknown as OwnEngine;
    const before = engine.stats().traffic!;
    const messages = received(session);
    await stream.write('03 "4hi"');
    await until(() => messages.length === 1, "the message");
    session.send("hello");
    await stream.expect('06 "4hello"');
    const { messagesIn, messagesOut, bytesIn, bytesOut } = engine.stats().traffic!;
    assert.deepEqual([messagesIn, messagesOut], [1, 1]);
    assert.deepEqual([bytesIn - before.bytesIn, bytesOut - before.bytesOut], [4, 7]);
  });

  host.it("has no remote address", async () => {
    await using server = await startWithWebTransport(host);
    assert.equal((await openWebTransport(server)).session.remoteAddress, "");
  });

  host.it("reads the open packet byte by byte", async () => {
    await using server = await startWithWebTransport(host);
    const { stream } = connectWebTransport(server);
    await stream.write("7e");
    await stream.write("00");
    await stream.write("01");
    await stream.write('"0"');
    assert.equal((await server.nextSession()).transport.name, "webtransport");
  });

  host.it("handles messages of one chunk with the open packet", async () => {
    await using server = await startWithWebTransport(host);
    const messages: unknown[] = [];
    server.engine.on("connection", (session: Session) => {
      session.on("message", (data: unknown) => messages.push(data));
    });
    await connectWebTransport(server).stream.write('01 "0" 03 "4hi" 81 ff');
    await until(() => messages.length === 2, "both messages");
    assert.deepEqual(messages, ["hi", Buffer.from([0xff])]);
  });

  host.it("sends the initial packet behind the handshake", async () => {
    await using server = await startWithWebTransport(host, { initialPacket: "hello" });
    const { stream } = connectWebTransport(server);
    await stream.write('01 "0"');
    assert.match((await stream.frame()).toString(), /^0\{/);
    await stream.expect('06 "4hello"');
  });

  host.it("carries text and binary both ways", async () => {
    await using server = await startWithWebTransport(host);
    const { session, stream } = await openWebTransport(server);
    session.on("message", (data: string | Buffer) => session.send(data));
    await stream.write('04 "4€"');
    await stream.expect('04 "4€"');
    await stream.write("83 010203");
    await stream.expect("83 010203");
  });

  host.it("writes the packets of one tick at once", async () => {
    await using server = await startWithWebTransport(host);
    const { session, stream } = await openWebTransport(server);
    session.send("a");
    session.send(Buffer.from([1]));
    session.send("");
    assert.deepEqual(await stream.next(), Buffer.from("\x024a\x81\x01\x014", "latin1"));
  });

  host.it("sends empty binary so that the client can read it", async () => {
    await using server = await startWithWebTransport(host);
    const { session, stream } = await openWebTransport(server);
    session.send(Buffer.alloc(0));
    await stream.expect('01 "b"');
  });

  for (const size of [125, 126, 65_535, 65_536, 500_000]) {
    host.it(`carries a message of ${size} bytes both ways`, async () => {
      await using server = await startWithWebTransport(host);
      const { session, stream } = await openWebTransport(server);
      session.on("message", (data: Buffer) => session.send(data));
      const header = Buffer.alloc(size < 126 ? 1 : size < 65_536 ? 3 : 9);
      if (size < 126) header[0] = size;
      else if (size < 65_536) header.writeUInt16BE(size, 1);
      else header.writeUInt32BE(size, 5);
      header[0]! |= 0x80 | (size < 126 ? 0 : size < 65_536 ? 126 : 127);
      const bytes = Buffer.concat([header, Buffer.alloc(size, "tidewire")]);
      await stream.write(bytes.subarray(0, 100));
      await stream.write(bytes.subarray(100));
      assert.ok(bytes.equals(await stream.take(bytes.length)));
    });
  }

  host.it("has a heartbeat: a ping from the server, a pong from the client", async () => {
    await using server = await startWithWebTransport(host, { pingInterval: 20, pingTimeout: 5000 });
    const { session, stream } = await openWebTransport(server);
    const beaten = new Promise((resolve) => session.once("heartbeat", resolve));
    await stream.expect('01 "2"');
    await stream.write('01 "3"');
    await beaten;
    await stream.expect('01 "2"');
  });

  host.it("closes a session that does not answer a ping, and its WebTransport session", async () => {
    await using server = await startWithWebTransport(host, { pingInterval: 20, pingTimeout: 20 });
    const { pair, session, stream } = await openWebTransport(server);
    void stream.next();
    assert.equal((await server.closed(session)).reason, "ping timeout");
    await endOf(pair);
  });

  host.it("closes when the server closes, after what was sent", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session, stream } = await openWebTransport(server);
    session.send("last");
    session.close();
    await stream.expect('05 "4last"');
    assert.deepEqual(await endOf(pair), {});
    assert.equal((await server.closed(session)).reason, "forced close");
  });

  host.it("closes when the client closes its session", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session } = await openWebTransport(server);
    pair.close();
    assert.equal((await server.closed(session)).reason, "transport close");
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("closes when the connection is lost", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session } = await openWebTransport(server);
    pair.lose();
    assert.equal((await server.closed(session)).reason, "transport close");
  });

  host.it("closes both when the client ends its stream", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session, stream } = await openWebTransport(server);
    await stream.finish();
    assert.equal((await server.closed(session)).reason, "transport close");
    await endOf(pair);
  });

  host.it("closes both when the client resets its stream", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session, stream } = await openWebTransport(server);
    await stream.reset();
    assert.equal((await server.closed(session)).reason, "transport close");
    await endOf(pair);
  });

  for (const [name, bytes] of [
    ["an unknown packet type", '01 "9"'],
    ["a length of 0", "00"],
    ["a length past 2^53", "7f ffffffffffffffff"],
  ] as const) {
    host.it(`closes both for ${name}`, async () => {
      await using server = await startWithWebTransport(host);
      const { pair, session, stream } = await openWebTransport(server);
      await stream.write(bytes);
      assert.equal((await server.closed(session)).reason, "parse error");
      await endOf(pair);
    });
  }

  host.it("closes both for a packet that is too large, and reports it", async () => {
    await using server = await startWithWebTransport(host, { maxHttpBufferSize: 1000 });
    const { pair, session, stream } = await openWebTransport(server);
    await stream.write("7e 03e9");
    const { reason, description } = await server.closed(session);
    assert.deepEqual([reason, (description as Error).message], ["parse error", "payload too large"]);
    assert.deepEqual(await endOf(pair), { closeCode: 1009, reason: "Max payload size exceeded" });
  });

  host.it("closes both for text that is not UTF-8", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session, stream } = await openWebTransport(server);
    await stream.write('02 "4" ff');
    assert.equal((await server.closed(session)).reason, "parse error");
    await endOf(pair);
  });

  host.it("closes both for a ping from the client", async () => {
    await using server = await startWithWebTransport(host);
    const { pair, session, stream } = await openWebTransport(server);
    await stream.write('01 "2"');
    const { reason, description } = await server.closed(session);
    assert.deepEqual(
      [reason, (description as Error).message],
      ["transport error", "invalid heartbeat direction"],
    );
    await endOf(pair);
  });

  host.it("is not disabled by middlewares", async () => {
    await using server = await startWithWebTransport(host, { cors: { origin: "*" } });
    let calls = 0;
    server.engine.use((_req, _res, next) => {
      calls++;
      next();
    });
    const { session } = await openWebTransport(server);
    assert.equal(session.transport.name, "webtransport");
    assert.equal(calls, 0);
  });

  host.it("continues when a listener throws, and rethrows", async () => {
    await using server = await startWithWebTransport(host);
    const { session, stream } = await openWebTransport(server);
    const error = new Error("thrown by the listener");
    session.once("message", () => {
      throw error;
    });
    const thrown = uncaught(1);
    const messages = received(session);
    await stream.write('02 "4a" 02 "4b"');
    assert.deepEqual(await thrown, [error]);
    await until(() => messages.includes("b"), "the message behind it");
    assert.equal(session.readyState, "open");
  });

  host.it("generates the id itself: there is no request for generateId", async () => {
    await using server = await startWithWebTransport(host);
    server.engine.generateId = () => {
      throw new Error("called");
    };
    assert.match((await openWebTransport(server)).session.id, /^[\w-]{20}$/);
  });

  describe("flow control", () => {
    host.it("writes once, and the rest together once the stream accepts it", async () => {
      await using server = await startWithWebTransport(host);
      const { stream } = connectWebTransport(server);
      await stream.write('01 "0"');
      const session = (await server.nextSession()) as Session & { bufferedAmount: number };
      for (const text of ["a", "b", "c"]) {
        session.send(text);
        await new Promise(setImmediate);
      }
      assert.equal(session.writeBuffer.length, 3);
      assert.equal(session.transport.writable, false);
      const held = session.bufferedAmount;
      const drained = new Promise((resolve) => session.once("drain", resolve));
      const handshake = await stream.next();
      assert.equal(held, handshake.length + 3);
      assert.equal((await stream.next()).toString(), "\x024a\x024b\x024c");
      await drained;
      assert.equal(session.bufferedAmount, 0);
      assert.equal(session.transport.writable, true);
    });

    describe("with a stream that reports late what it has accepted", () => {
      host.it("sends pings, and messages, when the stream accepts them", async () => {
        await using server = await startWithWebTransport(host);
        const late = held();
        const { stream, session } = await openWebTransport(server, { told: late.promise });
        session.send("first");
        await stream.expect('06 "4first"');
        server.engine.opts.pingInterval = 20;
        for (let round = 0; round < 2; round++) {
          // The interval begins with a pong.
          await stream.write('01 "3"');
          await stream.expect('01 "2"');
        }
        late.resolve();
      });

      host.it("counts written bytes until the stream reports them", async () => {
        await using server = await startWithWebTransport(host);
        const late = held();
        const { stream, session: opened } = await openWebTransport(server, { told: late.promise });
        const session = opened as Session & { bufferedAmount: number };
        session.send("first");
        await stream.expect('06 "4first"');
        await until(() => session.transport.writable, "the stream to take more");
        assert.ok(session.bufferedAmount > 7);
        late.resolve();
        await until(() => session.bufferedAmount === 0, "the stream to tell");
      });

      host.it("closes after the stream has reported", async () => {
        await using server = await startWithWebTransport(host);
        const late = held();
        const { stream, session, pair } = await openWebTransport(server, { told: late.promise });
        session.send("last");
        await stream.expect('05 "4last"');
        await until(() => session.transport.writable, "the stream to take more");
        session.close();
        late.resolve();
        const { reason } = await server.closed(session);
        assert.equal(reason, "forced close");
        await endOf(pair);
      });
    });

    host.it("gives up on a client that never reads", async () => {
      await using server = await startWithWebTransport(host, { maxBackpressure: 1000 });
      const { stream } = connectWebTransport(server);
      await stream.write('01 "0"');
      const session = await server.nextSession();
      for (let sent = 0; sent < 20; sent++) {
        session.send("x".repeat(100));
        await new Promise(setImmediate);
      }
      const { reason, description } = await server.closed(session);
      const { code, limit } = description as { code: string; limit: number };
      assert.deepEqual([reason, code, limit], ["transport error", "SLOW_CONSUMER", 1000]);
    });
  });
});
