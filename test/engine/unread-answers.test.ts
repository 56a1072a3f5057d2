import assert from "node:assert/strict";
import { once } from "node:events";
import type { Session } from "../support/engine/types.ts";
import { encodeFrame, OPCODE } from "../support/wire/frames.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { legacyPath } from "../support/engine/legacy-peers.ts";
import { PollingPeer, rawWebSocket, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const maxBackpressure = 1_000_000;

/** What a client sends at most before the test gives up; the kernel's buffers at both ends hold a few megabytes of answers. */
const MOST = 128_000_000;

const many = (frame: Buffer): Buffer =>
  Buffer.concat(Array<Buffer>(Math.ceil(64_000 / frame.length)).fill(frame));
const text = (packet: string): Buffer => many(encodeFrame(OPCODE.text, Buffer.from(packet)));

/** Sends the frames again and again without reading, until it is done. */
async function flood(socket: RawWebSocket, frames: Buffer, isDone: () => boolean): Promise<void> {
  socket.pause();
  // A server that has closed may leave the rest unread.
  const done = until(isDone, "the end").catch(() => {});
  for (let sent = 0; sent < MOST && !isDone() && !socket.socket.destroyed; sent += frames.length) {
    if (!socket.socket.write(frames)) await Promise.race([once(socket.socket, "drain"), done]);
    // No faster than the server takes it.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function assertSlowConsumer(server: StartedEngine, session: Session): Promise<void> {
  const { reason, description } = await server.closed(session);
  assert.equal(reason, "transport error");
  const { code, limit, bufferedBytes } = description as Record<string, unknown>;
  assert.deepEqual({ code, limit }, { code: "SLOW_CONSUMER", limit: maxBackpressure });
  assert.ok(Number(bufferedBytes) > maxBackpressure, String(bufferedBytes));
}

const limited = { needs: "tcp", timeout: 60_000 } as const;

function describeFloods(host: EngineHost): void {
  host.it("ends a client that sends WebSocket pings and reads no pong", limited, async () => {
    await using server = await host.start({ maxBackpressure });
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    const session = await server.nextSession();
    const ping = encodeFrame(OPCODE.ping, Buffer.alloc(125));
    await flood(socket, many(ping), () => session.readyState === "closed");
    await assertSlowConsumer(server, session);
  });

  host.it("ends a client of protocol 3 that sends pings and reads no pong", limited, async () => {
    await using server = await host.start({ maxBackpressure, maxReceiveBacklog: 0, allowEIO3: true });
    const socket = await rawWebSocket(server, legacyPath(server, "transport=websocket"));
    const session = await server.nextSession();
    await flood(socket, text("2"), () => session.readyState === "closed");
    await assertSlowConsumer(server, session);
  });

  host.it("counts 128 bytes for each waiting packet, plus its size", async () => {
    await using server = await host.start({ maxBackpressure });
    const { session } = await PollingPeer.open(server);
    session.send("");
    await new Promise(setImmediate);
    for (let index = 0; index < Math.floor(maxBackpressure / 128); index++) session.send("");
    await new Promise(setImmediate);
    session.send("");
    assert.equal(session.readyState, "open");
    await new Promise(setImmediate);
    session.send("");
    await assertSlowConsumer(server, session);
  });

  host.it("ends the upgrade of a client that probes and reads no answer", limited, async () => {
    await using server = await host.start({ maxBackpressure, maxReceiveBacklog: 0 });
    const peer = await PollingPeer.open(server);
    const socket = await rawWebSocket(server, peer.websocketPath);
    await flood(socket, text("2probe"), () => server.errors.length > 0);
    const { code, context } = await server.nextError();
    const { name, reason, error } = context as Record<string, unknown>;
    assert.deepEqual([code, name, reason], [3, "UPGRADE_FAILURE", "transport error"]);
    assert.equal((error as { code?: string }).code, "SLOW_CONSUMER");
    assert.equal(peer.session.readyState, "open");
    peer.session.send("goes on");
    assert.deepEqual(await peer.pollPackets(1), ["4goes on"]);
  });

  host.it(
    "answers every WebSocket ping of a client that reads",
    { needs: "tcp", timeout: 60_000 },
    async () => {
      await using server = await host.start({ maxBackpressure: 1000 });
      const socket = await rawWebSocket(server, server.path("transport=websocket"));
      const session = await server.nextSession();
      for (let round = 0; round < 10; round++) {
        for (let index = 0; index < 50; index++) socket.ping(Buffer.from(`${round}.${index}`));
        for (let index = 0; index < 50; index++)
          assert.equal(String(await socket.nextPong()), `${round}.${index}`);
      }
      assert.equal(session.readyState, "open");
    },
  );

  host.it("answers each of a hundred WebSocket pings that come in one chunk", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    const pings = Array.from({ length: 100 }, (_, index) => Buffer.from(String(index)));
    socket.socket.write(Buffer.concat(pings.map((ping) => encodeFrame(OPCODE.ping, ping))));
    for (const ping of pings) assert.deepEqual(await socket.nextPong(), ping);
  });

  host.it(
    "continues to send to a client that reads its pongs late",
    { needs: "tcp", timeout: 60_000 },
    async () => {
      await using server = await host.start({ maxBackpressure: 1_000_000_000 });
      const socket = await rawWebSocket(server, server.path("transport=websocket"));
      await socket.next();
      const session = await server.nextSession();
      const ping = encodeFrame(OPCODE.ping, Buffer.alloc(125));
      await flood(socket, many(ping), () => !session.transport.writable);
      session.send("behind");
      socket.resume();
      assert.equal(await within(socket.next(), "the message"), "4behind");
      await until(() => session.transport.writable, "the transport to drain");
    },
  );
}

onEveryHost("engine: responses that the client does not read", engineHosts, describeFloods);
