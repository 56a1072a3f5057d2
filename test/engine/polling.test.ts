import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer, received, until } from "../support/engine/peers.ts";

const BYTES = Buffer.from([1, 2, 3, 255]);

onEveryHost("engine: long-polling", engineHosts, (host) => {
  host.it("holds a poll until there is something to send", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    peer.session.send("hello");
    const response = await answer;
    assert.equal(response.status, 200);
    assert.equal(response.body, "4hello");
    assert.equal(response.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(response.headers["cache-control"], "no-store");
    assert.equal(response.headers["content-length"], "6");
  });

  host.it("answers a poll at once with everything that was queued", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("a");
    peer.session.send("b");
    peer.session.send("c");
    assert.equal(await peer.poll(), "4a\x1e4b\x1e4c");
  });

  host.it("sends binary as base64 with the prefix b", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("a");
    peer.session.send(BYTES);
    peer.session.send("b");
    const response = await peer.get();
    assert.equal(response.body, "4a\x1ebAQID/w==\x1e4b");
    assert.equal(response.headers["content-type"], "text/plain; charset=UTF-8");
  });

  host.it("sends text beyond ASCII as UTF-8, with its length in bytes", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("é€😀");
    const response = await peer.get();
    assert.deepEqual(response.raw, Buffer.from("4é€😀"));
    assert.equal(response.headers["content-length"], "10");
  });

  host.it("sends half of a surrogate pair as U+FFFD", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("a\ud83db");
    assert.deepEqual((await peer.get()).raw, Buffer.from("4a\ufffdb"));
  });

  host.it("answers a POST with ok", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const response = await peer.post("4hello");
    assert.equal(response.status, 200);
    assert.equal(response.body, "ok");
    assert.equal(response.headers["content-type"], "text/html");
    assert.equal(response.headers["content-length"], "2");
    assert.equal(response.headers["cache-control"], "no-store");
    assert.deepEqual(messages, ["hello"]);
  });

  host.it("reads several packets of one POST in order, binary among them", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    await peer.send("4a\x1ebAQID/w==\x1e4é€😀\x1e4");
    assert.deepEqual(messages.slice(0, 3), ["a", BYTES, "é€😀"]);
    assert.equal(messages.length, 4);
  });

  host.it("delivers binary as a Buffer", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    await peer.send("bAQID/w==");
    assert.ok(Buffer.isBuffer(messages[0]));
  });

  host.it("accepts a POST while a poll is held, and answers the poll from the listener", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.on("message", (data: string) => peer.session.send(`echo ${data}`));
    const { answer } = await peer.park();
    await peer.send("4x");
    assert.equal((await answer).body, "4echo x");
  });

  host.it("ignores noop packets", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    await peer.send("6\x1e4after");
    assert.deepEqual(messages, ["after"]);
    assert.equal(peer.session.readyState, "open");
  });

  host.it("keeps hundreds of messages in order, both ways", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    peer.session.on("message", (data: string) => peer.session.send(data));
    const numbers = Array.from({ length: 300 }, (_, index) => String(index));
    const echoed = peer.pollPackets(300);
    for (let start = 0; start < 300; start += 10) {
      const packets = numbers.slice(start, start + 10).map((number) => `4${number}`);
      await peer.send(packets.join("\x1e"));
    }
    assert.deepEqual(messages, numbers);
    assert.deepEqual(
      await echoed,
      numbers.map((number) => `4${number}`),
    );
  });

  host.it("is writable only while a poll is held", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    await until(() => !peer.session.transport.writable, "the first poll to be answered");
    const { answer } = await peer.park();
    assert.equal(peer.session.transport.writable, true);
    peer.session.send("x");
    await answer;
    assert.equal(peer.session.transport.writable, false);
  });

  host.it("calls back and emits drain once the transport has the message", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const log: string[] = [];
    peer.session.on("flush", () => log.push("flush"));
    peer.session.on("drain", () => log.push("drain"));
    peer.session.send("x", {}, () => log.push("sent"));
    assert.deepEqual(log, []);
    await peer.poll();
    await until(() => log.length === 3, "flush, sent and drain");
    assert.equal(log[0], "flush");
  });
});
