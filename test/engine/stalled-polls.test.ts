import assert from "node:assert/strict";
import { connect } from "node:net";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { PollingPeer, parked } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";

const SIZE = 20_000_000;

/** Longer than uWebSockets.js gives a connection that takes nothing, in ms. */
const STALL = 14_000;

/** A raw poll that stops reading when its response begins. */
async function stalledPoll(
  peer: PollingPeer,
): Promise<{ goOn(): void; reset(): void; close(): void; size(): number; ended: Promise<void> }> {
  const socket = connect({ port: peer.server.port, host: "127.0.0.1" });
  /** Of the body. */
  let size = 0;
  socket.on("error", () => {});
  const begun = new Promise<void>((resolve) => {
    socket.once("data", (chunk: Buffer) => {
      size -= chunk.indexOf("\r\n\r\n") + 4;
      socket.pause();
      resolve();
    });
  });
  const ended = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > SIZE) resolve();
    });
    socket.once("close", () => resolve());
  });
  socket.write(`GET ${peer.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await parked(peer.session);
  peer.session.send("x".repeat(SIZE), { compress: false });
  await within(begun, "the beginning of the answer");
  return {
    goOn: () => void socket.resume(),
    close: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
    size: () => size,
    ended,
  };
}

async function stall(host: EngineHost): Promise<void> {
  await using server = await host.start();
  const peer = await PollingPeer.open(server);
  const poll = await stalledPoll(peer);
  await new Promise((resolve) => setTimeout(resolve, STALL));
  poll.goOn();
  await within(poll.ended, "the answer");
  // With the type of the packet.
  assert.equal(poll.size(), SIZE + 1);
  assert.equal(peer.session.readyState, "open");
  peer.session.send("next");
  assert.deepEqual(await peer.pollPackets(1), ["4next"]);
  poll.close();
}

const stalls = new Map<string, Promise<void>>();

/** The hosts wait at the same time. */
function stallOn(host: EngineHost): Promise<void> {
  for (const each of engineHosts) {
    if (each.gaps.tcp !== undefined || stalls.has(each.name)) continue;
    const stalled = stall(each);
    // The test of its host reports it.
    stalled.catch(() => {});
    stalls.set(each.name, stalled);
  }
  return stalls.get(host.name)!;
}

const tcp = { needs: "tcp" } as const;

onEveryHost("engine: a client that stalls while the answer to its poll is written", engineHosts, (host) => {
  host.it("gets all of it when it resumes reading after 14 s", { ...tcp, timeout: 60_000 }, () =>
    stallOn(host),
  );

  host.it("has its session ended at once when it disconnects", { ...tcp }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const poll = await stalledPoll(peer);
    poll.reset();
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as { code?: string }).code, "POLL_ABORTED");
  });

  host.it("keeps its session when it closes a connection that was answered", tcp, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const poll = await stalledPoll(peer);
    poll.goOn();
    await within(poll.ended, "the answer");
    poll.close();
    peer.session.send("next");
    assert.deepEqual(await peer.pollPackets(1), ["4next"]);
    assert.equal(peer.session.readyState, "open");
  });
});
