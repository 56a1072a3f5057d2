import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, rawWebSocket, received, until } from "../support/engine/peers.ts";
import { encodeFrame, OPCODE } from "../support/wire/frames.ts";

/** Keeps the loop busy for a millisecond, as a listener may. */
function work(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

const COUNT = 400;
const numbers = Array.from({ length: COUNT }, (_, n) => String(n));
/** So many frames that one read holds them all. */
const flood = Buffer.concat(numbers.map((n) => encodeFrame(OPCODE.text, Buffer.from(`4${n}`))));
const needs = "tcp";

onEveryHost("engine: a client that sends very many messages at once", engineHosts, (host) => {
  host.it("does not block another client", { needs }, async () => {
    await using server = await host.start();
    const neighbour = await openWebSocket(server);
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    const order: string[] = [];
    session.on("message", (data: string) => {
      if (order.length === 0) neighbour.socket.sendText("4neighbour");
      order.push(data);
      work();
    });
    neighbour.session.on("message", (data: string) => order.push(data));
    socket.socket.write(flood);
    await until(() => order.length === COUNT + 1, "all messages");
    const turn = order.indexOf("neighbour");
    assert.ok(turn < COUNT / 4, `the neighbour was heard after ${turn} messages`);
    assert.deepEqual(order.toSpliced(turn, 1), numbers);
  });

  host.it("has its messages handled in order, and gets the answers in order", { needs }, async () => {
    await using server = await host.start();
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    session.on("message", (data: string) => {
      work();
      session.send(data);
    });
    socket.socket.write(flood);
    const answers = await socket.take(COUNT);
    assert.deepEqual(
      answers,
      numbers.map((n) => `4${n}`),
    );
    socket.sendText("4after");
    assert.equal(await socket.next(), "4after");
  });

  host.it("has all its messages read before its close", { needs }, async () => {
    await using server = await host.start();
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    const messages = received(session);
    session.on("message", work);
    const close = encodeFrame(OPCODE.close, Buffer.from([0x03, 0xe8]));
    socket.socket.write(Buffer.concat([flood, close]));
    assert.equal((await server.closed(session)).reason, "transport close");
    assert.deepEqual(messages, numbers);
  });

  host.it("is not read any further after the session was closed", { needs }, async () => {
    await using server = await host.start();
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    let count = 0;
    session.on("message", () => {
      work();
      if (++count === 100) session.close();
    });
    socket.socket.write(flood);
    assert.equal((await server.closed(session)).reason, "forced close");
    await socket.closed;
    assert.equal(count, 100);
  });

  host.it("stays alive while its pong waits behind its messages", { needs }, async () => {
    await using server = await host.start({ pingInterval: 100, pingTimeout: 300 });
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    const messages = received(session);
    session.on("message", work);
    assert.equal(await socket.next(), "2");
    socket.socket.write(Buffer.concat([flood, encodeFrame(OPCODE.text, Buffer.from("3"))]));
    assert.equal(await socket.next(), "2");
    assert.deepEqual(messages, numbers);
    assert.equal(session.readyState, "open");
  });

  host.it("of protocol 3 stays alive while its ping waits behind its messages", { needs }, async () => {
    await using server = await host.start({ pingInterval: 100, pingTimeout: 200, allowEIO3: true });
    const path = server.path("transport=websocket").replace("EIO=4", "EIO=3");
    const socket = await rawWebSocket(server, path);
    await socket.next();
    const session = await server.nextSession();
    const messages = received(session);
    session.on("message", work);
    socket.socket.write(Buffer.concat([flood, encodeFrame(OPCODE.text, Buffer.from("2"))]));
    assert.equal(await socket.next(), "3");
    assert.deepEqual(messages, numbers);
    assert.equal(session.readyState, "open");
  });

  host.it("by long-polling stays alive while its pong waits behind its messages", { needs }, async () => {
    await using server = await host.start({ pingInterval: 100, pingTimeout: 300 });
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    peer.session.on("message", work);
    assert.equal(await peer.poll(), "2");
    await peer.send(`${numbers.map((n) => `4${n}`).join("\x1e")}\x1e3`);
    assert.equal(await peer.poll(), "2");
    assert.deepEqual(messages, numbers);
    assert.equal(peer.session.readyState, "open");
  });

  const paused = "on node:http the client has to wait instead";
  host.it("is closed if more than maxReceiveBacklog waits", { needs }, async () => {
    await using server = await host.start({ maxReceiveBacklog: 10_000 });
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    const messages = received(session);
    session.on("message", work);
    socket.socket.write(flood);
    if (host.name === "node") {
      await until(() => messages.length === COUNT, `all messages, for ${paused}`);
      assert.equal(session.readyState, "open");
      return;
    }
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    const { code, limit, waitingBytes } = description as {
      code: string;
      limit: number;
      waitingBytes: number;
    };
    assert.equal(code, "FAST_PRODUCER");
    assert.equal(limit, 10_000);
    assert.ok(waitingBytes > limit, String(waitingBytes));
    // What it was heard to say came first, and in order.
    assert.deepEqual(messages, numbers.slice(0, messages.length));
  });

  host.it("by long-polling does not block another client", { needs }, async () => {
    await using server = await host.start();
    const neighbour = await openWebSocket(server);
    const peer = await PollingPeer.open(server);
    const order: string[] = [];
    peer.session.on("message", (data: string) => {
      if (order.length === 0) neighbour.socket.sendText("4neighbour");
      order.push(data);
      work();
    });
    neighbour.session.on("message", (data: string) => order.push(data));
    await peer.send(numbers.map((n) => `4${n}`).join("\x1e"));
    const turn = order.indexOf("neighbour");
    assert.ok(turn >= 0 && turn < COUNT / 4, `the neighbour was heard after ${turn} messages`);
    assert.deepEqual(order.toSpliced(turn, 1), numbers);
    await peer.send("4after");
    assert.equal(order.at(-1), "after");
  });

  host.it("by long-polling has all its messages read before the end of its poll", { needs }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const aborter = new AbortController();
    await peer.park({ signal: aborter.signal });
    const messages = received(peer.session);
    peer.session.on("message", () => {
      aborter.abort();
      work();
    });
    await peer.send(numbers.map((n) => `4${n}`).join("\x1e"));
    const { reason } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.deepEqual(messages, numbers);
  });

  host.it("by long-polling gets its response when the session closes meanwhile", { needs }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    let count = 0;
    peer.session.on("message", () => {
      work();
      if (++count === 100) peer.session.close();
    });
    await peer.send(numbers.map((n) => `4${n}`).join("\x1e"));
    assert.equal(count, 100);
  });
});
