import assert from "node:assert/strict";
import type { WebTransportSession } from "@tidewire/engine";
import type { Engine, EngineOptions, Session } from "../support/engine-types.ts";
import { onEveryHost, type EngineHost } from "../support/hosts.ts";
import { PollingPeer, received, until } from "../support/peers.ts";
import type { StartedEngine } from "../support/started-engine.ts";
import { uncaught } from "../support/uncaught.ts";
import { endOf, WebTransportPair } from "../support/webtransport.ts";
import type { StreamOptions, WebTransportClientStream } from "../support/webtransport.ts";

type WebTransportEngine = Engine & { onWebTransportSession(session: WebTransportSession): Promise<void> };

interface Peer {
  server: StartedEngine;
  pair: WebTransportPair;
  stream: WebTransportClientStream;
  session: Session;
}

const TRANSPORTS: EngineOptions = { transports: ["polling", "websocket", "webtransport"] };

/** A session handed to the engine, and the stream the client opened on it. */
function connect(server: StartedEngine, options?: StreamOptions): Omit<Peer, "session"> {
  const pair = new WebTransportPair();
  const stream = pair.stream(options);
  void (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
  return { server, pair, stream };
}

/** A new Engine.IO session over WebTransport, after its handshake. */
async function open(server: StartedEngine, options?: StreamOptions): Promise<Peer> {
  const peer = connect(server, options);
  await peer.stream.write('01 "0"');
  const session = await server.nextSession();
  assert.match((await peer.stream.frame()).toString(), /^0\{"sid"/);
  return { ...peer, session };
}

function start(host: EngineHost, options: EngineOptions = {}): Promise<StartedEngine> {
  return host.start({ ...TRANSPORTS, ...options });
}

function probe(peer: PollingPeer): Omit<Peer, "session"> & { offered: Promise<void> } {
  const connected = connect(peer.server);
  const data = `0{"sid":"${peer.sid}"}`;
  const offered = connected.stream.write(Buffer.from(`${String.fromCharCode(data.length)}${data}`));
  return { ...connected, offered };
}

onEveryHost((host) => {
  describe("WebTransport", () => {
    const splits = "the official server writes each header and each packet by itself";

    host.it("answers an open packet with the handshake", async () => {
      await using server = await start(host, {
        pingInterval: 300,
        pingTimeout: 200,
        maxHttpBufferSize: 1000,
      });
      const { stream } = connect(server);
      await stream.write('01 "0"');
      const session = await server.nextSession();
      const settings = '"upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000';
      assert.equal((await stream.frame()).toString(), `0{"sid":"${session.id}",${settings}}`);
      assert.match(session.id, /^[\w-]{20}$/);
    });

    host.it("opens a session without a request", async () => {
      await using server = await start(host);
      const { session } = await open(server);
      assert.equal(session.transport.name, "webtransport");
      assert.equal(session.protocol, 4);
      assert.equal(session.request, null);
      assert.equal(server.engine.clients[session.id], session);
      assert.equal(server.engine.clientsCount, 1);
    });

    host.it("has no remote address", { differs: "it is undefined" }, async () => {
      await using server = await start(host);
      assert.equal((await open(server)).session.remoteAddress, "");
    });

    host.it("reads the open packet byte by byte", async () => {
      await using server = await start(host);
      const { stream } = connect(server);
      await stream.write("7e");
      await stream.write("00");
      await stream.write("01");
      await stream.write('"0"');
      assert.equal((await server.nextSession()).transport.name, "webtransport");
    });

    host.it("serves what came in one chunk with the open packet", async () => {
      await using server = await start(host);
      const messages: unknown[] = [];
      server.engine.on("connection", (session: Session) => {
        session.on("message", (data: unknown) => messages.push(data));
      });
      await connect(server).stream.write('01 "0" 03 "4hi" 81 ff');
      await until(() => messages.length === 2, "both messages");
      assert.deepEqual(messages, ["hi", Buffer.from([0xff])]);
    });

    host.it("sends the initial packet behind the handshake", async () => {
      await using server = await start(host, { initialPacket: "hello" });
      const { stream } = connect(server);
      await stream.write('01 "0"');
      assert.match((await stream.frame()).toString(), /^0\{/);
      await stream.expect('06 "4hello"');
    });

    host.it("carries text and binary both ways", async () => {
      await using server = await start(host);
      const { session, stream } = await open(server);
      session.on("message", (data: string | Buffer) => session.send(data));
      await stream.write('04 "4€"');
      await stream.expect('04 "4€"');
      await stream.write("83 010203");
      await stream.expect("83 010203");
    });

    host.it("writes the packets of one tick at once", { differs: splits }, async () => {
      await using server = await start(host);
      const { session, stream } = await open(server);
      session.send("a");
      session.send(Buffer.from([1]));
      session.send("");
      assert.deepEqual(await stream.next(), Buffer.from("\x024a\x81\x01\x014", "latin1"));
    });

    host.it(
      "sends binary of no bytes so that the client can read it",
      { differs: "it sends a length of 0" },
      async () => {
        await using server = await start(host);
        const { session, stream } = await open(server);
        session.send(Buffer.alloc(0));
        await stream.expect('01 "b"');
      },
    );

    for (const size of [125, 126, 65_535, 65_536, 500_000]) {
      host.it(`carries a message of ${size} bytes both ways`, async () => {
        await using server = await start(host);
        const { session, stream } = await open(server);
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

    host.it("beats: a ping from the server, a pong from the client", async () => {
      await using server = await start(host, { pingInterval: 20, pingTimeout: 5000 });
      const { session, stream } = await open(server);
      const beaten = new Promise((resolve) => session.once("heartbeat", resolve));
      await stream.expect('01 "2"');
      await stream.write('01 "3"');
      await beaten;
      await stream.expect('01 "2"');
    });

    host.it("closes a session that does not answer a ping, and its WebTransport session", async () => {
      await using server = await start(host, { pingInterval: 20, pingTimeout: 20 });
      const { pair, session, stream } = await open(server);
      void stream.next();
      assert.equal((await server.closed(session)).reason, "ping timeout");
      await endOf(pair);
    });

    host.it("closes when the server closes, after what was sent", { differs: "it drops that" }, async () => {
      await using server = await start(host);
      const { pair, session, stream } = await open(server);
      session.send("last");
      session.close();
      await stream.expect('05 "4last"');
      assert.deepEqual(await endOf(pair), {});
      assert.equal((await server.closed(session)).reason, "forced close");
    });

    host.it("closes when the client closes its session", async () => {
      await using server = await start(host);
      const { pair, session } = await open(server);
      pair.close();
      assert.equal((await server.closed(session)).reason, "transport close");
      assert.equal(server.engine.clientsCount, 0);
    });

    const leaks = "the official session stays until its heartbeat fails";

    host.it("closes when the connection is lost", { differs: leaks }, async () => {
      await using server = await start(host);
      const { pair, session } = await open(server);
      pair.lose();
      assert.equal((await server.closed(session)).reason, "transport close");
    });

    host.it("closes both when the client ends its stream", { differs: leaks }, async () => {
      await using server = await start(host);
      const { pair, session, stream } = await open(server);
      await stream.finish();
      assert.equal((await server.closed(session)).reason, "transport close");
      await endOf(pair);
    });

    host.it("closes both when the client resets its stream", { differs: leaks }, async () => {
      await using server = await start(host);
      const { pair, session, stream } = await open(server);
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
        await using server = await start(host);
        const { pair, session, stream } = await open(server);
        await stream.write(bytes);
        assert.equal((await server.closed(session)).reason, "parse error");
        await endOf(pair);
      });
    }

    const silent = "the client is not told";

    host.it("closes both for a packet larger than allowed, and tells", { differs: silent }, async () => {
      await using server = await start(host, { maxHttpBufferSize: 1000 });
      const { pair, session, stream } = await open(server);
      await stream.write("7e 03e9");
      const { reason, description } = await server.closed(session);
      assert.deepEqual([reason, (description as Error).message], ["parse error", "payload too large"]);
      assert.deepEqual(await endOf(pair), { closeCode: 1009, reason: "Max payload size exceeded" });
    });

    host.it("closes both for text that is not UTF-8", { differs: "it reads U+FFFD" }, async () => {
      await using server = await start(host);
      const { pair, session, stream } = await open(server);
      await stream.write('02 "4" ff');
      assert.equal((await server.closed(session)).reason, "parse error");
      await endOf(pair);
    });

    host.it("closes both for a ping from the client", async () => {
      await using server = await start(host);
      const { pair, session, stream } = await open(server);
      await stream.write('01 "2"');
      const { reason, description } = await server.closed(session);
      assert.deepEqual(
        [reason, (description as Error).message],
        ["transport error", "invalid heartbeat direction"],
      );
      await endOf(pair);
    });

    host.it("is not disabled by middlewares", { differs: "it closes the session" }, async () => {
      await using server = await start(host, { cors: { origin: "*" } });
      let calls = 0;
      server.engine.use((_req, _res, next) => {
        calls++;
        next();
      });
      const { session } = await open(server);
      assert.equal(session.transport.name, "webtransport");
      assert.equal(calls, 0);
    });

    host.it("goes on when a listener throws, and rethrows", { differs: "it stops reading" }, async () => {
      await using server = await start(host);
      const { session, stream } = await open(server);
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

    host.it("makes the id itself: there is no request for generateId", async () => {
      await using server = await start(host);
      server.engine.generateId = () => {
        throw new Error("called");
      };
      assert.match((await open(server)).session.id, /^[\w-]{20}$/);
    });

    describe("flow control", () => {
      host.it("writes once, and the rest together when that was taken", { differs: splits }, async () => {
        await using server = await start(host);
        const { stream } = connect(server);
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

      host.it("gives up on a client that never reads", { differs: "it has no limit" }, async () => {
        await using server = await start(host, { maxBackpressure: 1000 });
        const { stream } = connect(server);
        await stream.write('01 "0"');
        const session = await server.nextSession();
        for (let sent = 0; sent < 20; sent++) session.send("x".repeat(100));
        const { reason, description } = await server.closed(session);
        const { code, limit } = description as { code: string; limit: number };
        assert.deepEqual([reason, code, limit], ["transport error", "SLOW_CONSUMER", 1000]);
      });
    });

    describe("refuses, and tells both sides", () => {
      const differs = "it closes in silence";
      const wrong = { code: 3, context: { name: "TRANSPORT_HANDSHAKE_ERROR" } };
      const told = { closeCode: 3, reason: "Bad request" };

      for (const [name, bytes] of [
        ["a first packet that is not open", '06 "2probe"'],
        ["a first packet of binary", "81 00"],
        ["bytes that are no packet", "00"],
        ["an open packet with other data", '03 "0hi"'],
        ["an open packet with JSON that is no object", '05 "0null"'],
        ["a sid that is no text", '0a "0{"sid":1}"'],
      ] as const) {
        host.it(name, { differs }, async () => {
          await using server = await start(host);
          const { pair, stream } = connect(server);
          const written = name === "a sid that is no text" ? Buffer.from('\n0{"sid":1}') : bytes;
          await stream.write(written);
          const { code, context } = await server.nextError();
          assert.deepEqual({ code, context }, wrong);
          assert.deepEqual(await endOf(pair), told);
          assert.equal(server.engine.clientsCount, 0);
        });
      }

      host.it("a sid that nobody has", { differs }, async () => {
        await using server = await start(host);
        const { pair, stream } = connect(server);
        await stream.write(Buffer.from('\x0d0{"sid":"no"}'));
        const { code, context } = await server.nextError();
        assert.deepEqual({ code, context }, { code: 1, context: { sid: "no" } });
        assert.deepEqual(await endOf(pair), { closeCode: 1, reason: "Session ID unknown" });
      });

      host.it("a session whose transport is not offered", { differs: "it serves it" }, async () => {
        await using server = await host.start();
        const { pair } = connect(server);
        const { code, context } = await server.nextError();
        assert.deepEqual({ code, context }, { code: 0, context: { transport: "webtransport" } });
        assert.deepEqual(await endOf(pair), { closeCode: 0, reason: "Transport unknown" });
      });

      host.it("a client that opens no stream in time", { differs }, async () => {
        await using server = await start(host, { upgradeTimeout: 20 });
        const pair = new WebTransportPair();
        void (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
        const { code, context, req } = await server.nextError();
        assert.deepEqual({ code, context }, wrong);
        assert.deepEqual(req.headers, {});
        assert.deepEqual(await endOf(pair), told);
      });

      host.it("a client that sends nothing in time", { differs }, async () => {
        await using server = await start(host, { upgradeTimeout: 20 });
        const { pair } = connect(server);
        const { code, context } = await server.nextError();
        assert.deepEqual({ code, context }, wrong);
        assert.deepEqual(await endOf(pair), told);
      });
    });

    for (const when of ["before it opens a stream", "before it sends anything"] as const) {
      host.it(`forgets a client that goes ${when}`, { differs: "it rejects" }, async () => {
        await using server = await start(host, { upgradeTimeout: 20 });
        const pair = new WebTransportPair();
        const taken = (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
        if (when === "before it sends anything") pair.stream();
        pair.lose();
        await taken;
        assert.equal(server.engine.clientsCount, 0);
        assert.equal(server.errors.length, 0);
      });
    }

    describe("upgrade from polling", () => {
      host.it("is offered", async () => {
        await using server = await start(host);
        const { handshake } = await PollingPeer.open(server);
        assert.deepEqual(handshake.upgrades, ["websocket", "webtransport"]);
      });

      host.it("probes, upgrades, and goes on over the stream", async () => {
        await using server = await start(host);
        const peer = await PollingPeer.open(server);
        const { session } = peer;
        const messages = received(session);
        const upgraded = new Promise((resolve) => session.once("upgrade", resolve));
        const poll = await peer.park();
        const { stream } = probe(peer);
        await stream.write('06 "2probe"');
        await stream.expect('06 "3probe"');
        assert.equal(session.upgrading, true);
        assert.equal((await poll.answer).body, "6");
        await stream.write('01 "5"');
        await upgraded;
        assert.equal(session.transport.name, "webtransport");
        assert.equal(session.upgraded, true);
        await stream.write('03 "4up"');
        session.send("down");
        await stream.expect('05 "4down"');
        await until(() => messages.length === 1, "the message");
        assert.deepEqual(messages, ["up"]);
        assert.notEqual(session.request, null);
      });

      host.it("delivers what was sent during the probe, in order", async () => {
        await using server = await start(host);
        const peer = await PollingPeer.open(server);
        const { stream } = probe(peer);
        await stream.write('06 "2probe"');
        await stream.expect('06 "3probe"');
        peer.session.send("a");
        peer.session.send("b");
        await stream.write('01 "5"');
        await stream.expect('02 "4a" 02 "4b"');
      });

      host.it("goes on with polling when the stream ends", { differs: "it waits" }, async () => {
        await using server = await start(host);
        const peer = await PollingPeer.open(server);
        const { pair, stream } = probe(peer);
        await stream.write('06 "2probe"');
        await stream.expect('06 "3probe"');
        pair.lose();
        await until(() => !peer.session.upgrading, "the end of the upgrade");
        peer.session.send("still here");
        assert.deepEqual(await peer.pollPackets(1), ["4still here"]);
      });

      host.it("goes on with polling when it takes too long", async () => {
        await using server = await start(host, { upgradeTimeout: 50 });
        const peer = await PollingPeer.open(server);
        const { pair, stream } = probe(peer);
        await stream.write('06 "2probe"');
        void stream.next();
        await endOf(pair);
        assert.equal(peer.session.upgrading, false);
        peer.session.send("still here");
        assert.deepEqual(await peer.pollPackets(1), ["4still here"]);
      });

      host.it("is refused while another is under way", { differs: "it closes in silence" }, async () => {
        await using server = await start(host);
        const peer = await PollingPeer.open(server);
        const first = probe(peer);
        await first.stream.write('06 "2probe"');
        await first.stream.expect('06 "3probe"');
        const second = probe(peer);
        assert.deepEqual(await endOf(second.pair), { closeCode: 3, reason: "Bad request" });
        const { context } = await server.nextError();
        assert.equal(context?.["name"], "TRANSPORT_MISMATCH");
        assert.equal(peer.session.upgrading, true);
      });

      host.it("is refused to a session that has upgraded", { differs: "it closes in silence" }, async () => {
        await using server = await start(host);
        const peer = await PollingPeer.open(server);
        const first = probe(peer);
        const upgraded = new Promise((resolve) => peer.session.once("upgrade", resolve));
        await first.stream.write('06 "2probe"');
        await first.stream.expect('06 "3probe"');
        await first.stream.write('01 "5"');
        await upgraded;
        const second = probe(peer);
        assert.deepEqual(await endOf(second.pair), { closeCode: 3, reason: "Bad request" });
        assert.equal(peer.session.readyState, "open");
      });

      host.it("is refused without allowUpgrades", { differs: "it upgrades" }, async () => {
        await using server = await start(host, { allowUpgrades: false });
        const peer = await PollingPeer.open(server);
        assert.deepEqual(peer.handshake.upgrades, []);
        assert.deepEqual(await endOf(probe(peer).pair), { closeCode: 3, reason: "Bad request" });
      });

      host.it("is refused to a session of the other protocol", { differs: "it upgrades" }, async () => {
        await using server = await start(host, { allowEIO3: true });
        const path = server.path("transport=polling").replace("EIO=4", "EIO=3");
        await server.client.get(path);
        const session = await server.nextSession();
        const { pair } = probe({ server, sid: session.id } as PollingPeer);
        assert.deepEqual(await endOf(pair), { closeCode: 3, reason: "Bad request" });
        const { context } = await server.nextError();
        assert.deepEqual(context, { name: "PROTOCOL_MISMATCH", protocol: 4, previousProtocol: 3 });
      });
    });
  });
});
