import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Session } from "../support/engine/types.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { openWebSocket, PollingPeer, rawWebSocket, until } from "../support/engine/peers.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const MEGABYTE = 1_000_000;

/** What a session of ours has beyond the official one. */
function bufferedAmount(session: Session): number {
  return (session as Session & { bufferedAmount: number }).bufferedAmount;
}

async function openPaused(server: StartedEngine): Promise<{ socket: RawWebSocket; session: Session }> {
  const socket = await rawWebSocket(server, server.path("transport=websocket"));
  await socket.next();
  socket.pause();
  return { socket, session: await server.nextSession() };
}

/** Sends a megabyte per turn of the event loop until the session has ended; gives how many it took. */
async function flood(session: Session): Promise<number> {
  let sent = 0;
  await until(() => {
    if (session.readyState !== "open") return true;
    session.send(Buffer.alloc(MEGABYTE));
    sent++;
    return false;
  }, "the session to end");
  return sent;
}

async function assertSlowConsumer(server: StartedEngine, session: Session, limit: number): Promise<void> {
  const { reason, description } = await server.closed(session);
  assert.equal(reason, "transport error");
  assert.ok(description instanceof Error);
  const detail = description as Error & { code?: string; bufferedBytes?: number; limit?: number };
  assert.equal(detail.code, "SLOW_CONSUMER");
  assert.equal(detail.limit, limit);
  assert.ok(detail.bufferedBytes! > limit && detail.bufferedBytes! < limit + 25 * MEGABYTE);
  assert.equal(server.engine.clientsCount, 0);
}

function describePolling(host: EngineHost): void {
  host.it("ends a session whose client does not poll, past maxBackpressure", async () => {
    await using server = await host.start({ maxBackpressure: 2 * MEGABYTE });
    const { session } = await PollingPeer.open(server);
    session.send("oldest");
    await turn();
    session.send(Buffer.alloc(MEGABYTE));
    session.send(Buffer.alloc(MEGABYTE));
    await turn();
    session.send(Buffer.alloc(1));
    await assertSlowConsumer(server, session, 2 * MEGABYTE);
  });

  host.it("does not count a burst, nor the oldest waiting packet", async () => {
    await using server = await host.start({ maxBackpressure: 1_000 });
    const peer = await PollingPeer.open(server);
    for (let index = 0; index < 3; index++) peer.session.send("x".repeat(100_000));
    await turn();
    for (let index = 0; index < 3; index++) peer.session.send("y".repeat(100_000));
    assert.equal(peer.session.readyState, "open");
    const packets = await peer.pollPackets(6);
    assert.equal(packets.map((packet) => packet[1]).join(""), "xxxyyy");
  });

  host.it("delivers a message larger than maxBackpressure to a client that polls", async () => {
    await using server = await host.start({ maxBackpressure: 1_000 });
    const peer = await PollingPeer.open(server);
    for (let index = 0; index < 3; index++) {
      peer.session.send("x".repeat(100_000));
      assert.equal((await peer.poll()).length, 100_001);
    }
    assert.equal(peer.session.readyState, "open");
  });

  host.it("has a default limit of 16 MiB", async () => {
    await using server = await host.start();
    const { session } = await PollingPeer.open(server);
    const limit = 16 * 1024 * 1024;
    session.send("oldest");
    await turn();
    session.send(Buffer.alloc(limit));
    await turn();
    session.send(Buffer.alloc(1));
    await assertSlowConsumer(server, session, limit);
  });

  host.it("has no limit with maxBackpressure: 0", async () => {
    await using server = await host.start({ maxBackpressure: 0 });
    const { session } = await PollingPeer.open(server);
    for (let index = 0; index < 40; index++) session.send(Buffer.alloc(MEGABYTE));
    assert.equal(session.readyState, "open");
    assert.equal(session.writeBuffer.length, 40);
  });

  host.it("resets the count once everything was polled", async () => {
    await using server = await host.start({ maxBackpressure: 100_000 });
    const peer = await PollingPeer.open(server);
    for (let index = 0; index < 10; index++) {
      peer.session.send("x".repeat(60_000));
      await peer.poll();
    }
    assert.equal(peer.session.readyState, "open");
  });

  host.it("reports the bytes that wait for a poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    assert.equal(bufferedAmount(peer.session), 0);
    peer.session.send("ü".repeat(10));
    peer.session.send(Buffer.alloc(7));
    assert.equal(bufferedAmount(peer.session), 27);
    await peer.poll();
    assert.equal(bufferedAmount(peer.session), 0);
  });
}

function describeWebSocket(host: EngineHost): void {
  host.it("ends a session whose client does not read", { needs: "tcp" }, async () => {
    await using server = await host.start({ maxBackpressure: MEGABYTE });
    const { session } = await openPaused(server);
    const sent = await flood(session);
    // What the kernel takes at both ends is a few megabytes.
    assert.ok(sent < 40, `${sent} MB`);
    await assertSlowConsumer(server, session, MEGABYTE);
  });

  host.it("does not end a client that reads, however much it is sent", { timeout: 10_000 }, async () => {
    await using server = await host.start({ maxBackpressure: 1_000 });
    const { socket, session } = await openWebSocket(server);
    for (let index = 0; index < 20; index++) {
      session.send(Buffer.alloc(MEGABYTE));
      assert.equal((await socket.next()).length, MEGABYTE);
      await until(() => session.transport.writable, "the transport to drain");
    }
    assert.equal(session.readyState, "open");
  });

  host.it("reports the bytes of this tick, and none once they were sent", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.send("four");
    assert.equal(bufferedAmount(session), 4);
    await socket.next();
    assert.equal(bufferedAmount(session), 0);
  });

  const network = { needs: "tcp" } as const;

  host.it("emits drain when the bytes were sent, not before", network, async () => {
    await using server = await host.start({ maxBackpressure: 0 });
    const { socket, session } = await openPaused(server);
    const drains: number[] = [];
    session.on("drain", () => drains.push(bufferedAmount(session)));
    session.send(Buffer.alloc(30 * MEGABYTE));
    await until(() => !session.transport.writable, "the transport to be full");
    assert.deepEqual(drains, []);
    assert.ok(bufferedAmount(session) > MEGABYTE);
    session.send("behind");
    assert.equal(session.writeBuffer.length, 1);
    socket.resume();
    assert.equal((await socket.next()).length, 30 * MEGABYTE);
    assert.equal(await socket.next(), "4behind");
    await until(() => drains.length > 0, "drain");
    assert.deepEqual(new Set(drains), new Set([0]));
    assert.equal(session.transport.writable, true);
  });
}

onEveryHost("engine: maxBackpressure", engineHosts, (host) => {
  describe("long-polling", () => describePolling(host));
  describe("WebSocket", () => describeWebSocket(host));
});
