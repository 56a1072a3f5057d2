import assert from "node:assert/strict";
import type { Engine } from "@tidewire/engine";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer, received, until } from "../support/engine/peers.ts";
import {
  connectWebTransport,
  probeWebTransport,
  startWithWebTransport,
  type WebTransportEngine,
} from "../support/webtransport/engine.ts";
import { endOf, WebTransportPair } from "../support/webtransport/pair.ts";

onEveryHost("engine: the WebTransport handshake", engineHosts, (host) => {
  describe("refuses, and informs both sides", () => {
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
      host.it(name, async () => {
        await using server = await startWithWebTransport(host);
        const { pair, stream } = connectWebTransport(server);
        const written = name === "a sid that is no text" ? Buffer.from('\n0{"sid":1}') : bytes;
        await stream.write(written);
        const { code, context } = await server.nextError();
        assert.deepEqual({ code, context }, wrong);
        assert.deepEqual(await endOf(pair), told);
        assert.equal(server.engine.clientsCount, 0);
      });
    }

    host.it("an unknown sid", async () => {
      await using server = await startWithWebTransport(host);
      const { pair, stream } = connectWebTransport(server);
      await stream.write(Buffer.from('\x0d0{"sid":"no"}'));
      const { code, context } = await server.nextError();
      assert.deepEqual({ code, context }, { code: 1, context: { sid: "no" } });
      assert.deepEqual(await endOf(pair), { closeCode: 1, reason: "Session ID unknown" });
    });

    host.it("a client that opens no stream in time", async () => {
      await using server = await startWithWebTransport(host, { upgradeTimeout: 20 });
      const pair = new WebTransportPair();
      void (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
      const { code, context, req } = await server.nextError();
      assert.deepEqual({ code, context }, wrong);
      assert.deepEqual(req.headers, {});
      assert.deepEqual(await endOf(pair), told);
    });

    host.it("a client that sends nothing in time", async () => {
      await using server = await startWithWebTransport(host, { upgradeTimeout: 20 });
      const { pair } = connectWebTransport(server);
      const { code, context } = await server.nextError();
      assert.deepEqual({ code, context }, wrong);
      assert.deepEqual(await endOf(pair), told);
    });
  });

  host.it("refuses a client that sends much while another node is asked for its session", async () => {
    await using server = await startWithWebTransport(host);
    const engine = server.engine as unknown as Engine;
    const remote = { needsWholeHead: false, onRequest() {}, onUpgrade() {}, claim() {} };
    engine.joinCluster({
      idPrefix: "",
      starting: undefined,
      bindsLate: false,
      bindTimeout: 1000,
      bind() {},
      find: () => remote,
      successor: () => undefined,
      onUpgraded() {},
      onEnded() {},
    });
    const { pair, stream } = connectWebTransport(server);
    await stream.write(Buffer.from(`\x0d0{"sid":"no"}${"\x024x".repeat(20)}`));
    assert.deepEqual((await server.nextError()).context, { name: "TRANSPORT_HANDSHAKE_ERROR" });
    assert.deepEqual(await endOf(pair), { closeCode: 3, reason: "Bad request" });
  });

  for (const when of ["before it opens a stream", "before it sends anything"] as const) {
    host.it(`cleans up after a client that disconnects ${when}`, async () => {
      await using server = await startWithWebTransport(host, { upgradeTimeout: 20 });
      const pair = new WebTransportPair();
      const taken = (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
      if (when === "before it sends anything") pair.stream();
      pair.lose();
      await taken;
      assert.equal(server.engine.clientsCount, 0);
      assert.equal(server.errors.length, 0);
    });
  }

  host.it("serves a session whether or not the transport is offered", async () => {
    await using server = await host.start();
    const { stream } = connectWebTransport(server);
    await stream.write('01 "0"');
    const session = await server.nextSession();
    assert.equal(session.transport.name, "webtransport");
    assert.match((await stream.frame()).toString(), /^0\{"sid"/);
  });

  host.it("upgrades from polling whether or not the transport is offered", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    assert.deepEqual(peer.handshake.upgrades, ["websocket"]);
    const { stream } = probeWebTransport(peer);
    await stream.write('06 "2probe"');
    await stream.expect('06 "3probe"');
  });

  describe("upgrade from polling", () => {
    host.it("is offered", async () => {
      await using server = await startWithWebTransport(host);
      const { handshake } = await PollingPeer.open(server);
      assert.deepEqual(handshake.upgrades, ["websocket", "webtransport"]);
    });

    host.it("probes, upgrades, and continues over the stream", async () => {
      await using server = await startWithWebTransport(host);
      const peer = await PollingPeer.open(server);
      const { session } = peer;
      const messages = received(session);
      const upgraded = new Promise((resolve) => session.once("upgrade", resolve));
      const poll = await peer.park();
      const { stream } = probeWebTransport(peer);
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
      await using server = await startWithWebTransport(host);
      const peer = await PollingPeer.open(server);
      const { stream } = probeWebTransport(peer);
      await stream.write('06 "2probe"');
      await stream.expect('06 "3probe"');
      peer.session.send("a");
      peer.session.send("b");
      await stream.write('01 "5"');
      await stream.expect('02 "4a" 02 "4b"');
    });

    host.it("continues with polling when the stream ends", async () => {
      await using server = await startWithWebTransport(host);
      const peer = await PollingPeer.open(server);
      const { pair, stream } = probeWebTransport(peer);
      await stream.write('06 "2probe"');
      await stream.expect('06 "3probe"');
      pair.lose();
      await until(() => !peer.session.upgrading, "the end of the upgrade");
      peer.session.send("still here");
      assert.deepEqual(await peer.pollPackets(1), ["4still here"]);
    });

    host.it("continues with polling when it takes too long", async () => {
      await using server = await startWithWebTransport(host, { upgradeTimeout: 50 });
      const peer = await PollingPeer.open(server);
      const { pair, stream } = probeWebTransport(peer);
      await stream.write('06 "2probe"');
      void stream.next();
      await endOf(pair);
      assert.equal(peer.session.upgrading, false);
      peer.session.send("still here");
      assert.deepEqual(await peer.pollPackets(1), ["4still here"]);
    });

    host.it("is refused during another upgrade", async () => {
      await using server = await startWithWebTransport(host);
      const peer = await PollingPeer.open(server);
      const first = probeWebTransport(peer);
      await first.stream.write('06 "2probe"');
      await first.stream.expect('06 "3probe"');
      const second = probeWebTransport(peer);
      assert.deepEqual(await endOf(second.pair), { closeCode: 3, reason: "Bad request" });
      const { context } = await server.nextError();
      assert.equal(context?.["name"], "TRANSPORT_MISMATCH");
      assert.equal(peer.session.upgrading, true);
    });

    host.it("is refused for a session that has upgraded", async () => {
      await using server = await startWithWebTransport(host);
      const peer = await PollingPeer.open(server);
      const first = probeWebTransport(peer);
      const upgraded = new Promise((resolve) => peer.session.once("upgrade", resolve));
      await first.stream.write('06 "2probe"');
      await first.stream.expect('06 "3probe"');
      await first.stream.write('01 "5"');
      await upgraded;
      const second = probeWebTransport(peer);
      assert.deepEqual(await endOf(second.pair), { closeCode: 3, reason: "Bad request" });
      assert.equal(peer.session.readyState, "open");
    });

    host.it("is refused without allowUpgrades", async () => {
      await using server = await startWithWebTransport(host, { allowUpgrades: false });
      const peer = await PollingPeer.open(server);
      assert.deepEqual(peer.handshake.upgrades, []);
      assert.deepEqual(await endOf(probeWebTransport(peer).pair), { closeCode: 3, reason: "Bad request" });
    });

    host.it("is refused for a session of the other protocol", async () => {
      await using server = await startWithWebTransport(host, { allowEIO3: true });
      const path = server.path("transport=polling").replace("EIO=4", "EIO=3");
      await server.client.get(path);
      const session = await server.nextSession();
      const { pair } = probeWebTransport({ server, sid: session.id } as PollingPeer);
      assert.deepEqual(await endOf(pair), { closeCode: 3, reason: "Bad request" });
      const { context } = await server.nextError();
      assert.deepEqual(context, { name: "PROTOCOL_MISMATCH", protocol: 4, previousProtocol: 3 });
    });
  });
});
