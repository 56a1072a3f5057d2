import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer, rawWebSocket, until } from "../support/engine/peers.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const COUNT = 300;
const SIZE = 100_000;

function body(index: number): string {
  return `${index}:`.padEnd(SIZE, "x");
}

async function openRaw(server: StartedEngine): Promise<{ socket: RawWebSocket; session: Session }> {
  const socket = await rawWebSocket(server, server.path("transport=websocket"));
  await socket.next();
  return { socket, session: await server.nextSession() };
}

function sendAll(session: Session): void {
  for (let index = 0; index < COUNT; index++) {
    session.send(body(index));
  }
}

async function sendOverManyTicks(session: Session): Promise<void> {
  for (let index = 0; index < COUNT; index++) {
    session.send(body(index));
    await turn();
  }
}

/** How many messages came, each the one that had to come, until all were there or the connection had ended. */
async function readWithoutGap(socket: RawWebSocket): Promise<number> {
  for (let count = 0; count < COUNT; count++) {
    let message: string | Buffer;
    try {
      message = await socket.next();
    } catch (error) {
      assert.match((error as Error).message, /^the WebSocket was closed/);
      return count;
    }
    assert.equal(message.length, SIZE + 1);
    assert.equal(String(message).slice(1, 10).split(":")[0], String(count), "a gap");
  }
  return COUNT;
}

/** Nothing was dropped silently: everything arrived, or the session has the reason why it ended. */
async function assertAllOrReason(server: StartedEngine, session: Session, count: number): Promise<void> {
  if (count < COUNT || session.readyState !== "open") {
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    assert.ok(description instanceof Error);
  }
}

async function assertSlowConsumer(server: StartedEngine, session: Session): Promise<void> {
  const { reason, description } = await server.closed(session);
  assert.equal(reason, "transport error");
  assert.equal((description as { code?: string }).code, "SLOW_CONSUMER");
  assert.equal(server.engine.clientsCount, 0);
}

onEveryHost("engine: backpressure", engineHosts, (host) => {
  for (const [how, send] of [
    ["in one tick", sendAll],
    ["over many ticks", sendOverManyTicks],
  ] as const) {
    host.it(`leaves no gap for a paused reader, sent ${how}`, { needs: "tcp", timeout: 20_000 }, async () => {
      await using server = await host.start();
      const { socket, session } = await openRaw(server);
      socket.pause();
      await send(session);
      await pause(50);
      socket.resume();
      await assertAllOrReason(server, session, await readWithoutGap(socket));
    });

    host.it(
      `keeps everything within maxBackpressure, sent ${how}`,
      { needs: "tcp", timeout: 20_000 },
      async () => {
        await using server = await host.start({ maxBackpressure: 64_000_000 });
        const { socket, session } = await openRaw(server);
        socket.pause();
        await send(session);
        await pause(50);
        socket.resume();
        assert.equal(await readWithoutGap(socket), COUNT);
        assert.equal(session.readyState, "open");
      },
    );
  }

  host.it(
    "closes after the reader received the many small messages of a listener",
    { needs: "tcp", timeout: 20_000 },
    async () => {
      await using server = await host.start({ maxBackpressure: 64_000_000 });
      const { socket, session } = await openRaw(server);
      const answered = new Promise<void>((resolve) => {
        session.once("message", () => {
          // Each is small enough to be gathered with others.
          for (let index = 0; index < 3000; index++) session.send("x".repeat(10_000));
          resolve();
        });
      });
      socket.pause();
      socket.sendText("4many, please");
      await answered;
      await turn();
      const closed = server.closed(session);
      session.close();
      socket.resume();
      for (let index = 0; index < 3000; index++) await socket.next();
      assert.equal((await closed).reason, "forced close");
    },
  );

  const limited = { needs: "tcp", timeout: 20_000 } as const;

  host.it(
    "closes the connection of a reader that exceeds maxBackpressure over many ticks",
    limited,
    async () => {
      await using server = await host.start({ maxBackpressure: 1_000_000 });
      const { socket, session } = await openRaw(server);
      socket.pause();
      await sendOverManyTicks(session);
      await assertSlowConsumer(server, session);
      socket.resume();
      await readWithoutGap(socket);
    },
  );

  host.it(
    "closes the connection for data that waits behind bursts, not for the bursts",
    limited,
    async () => {
      await using server = await host.start({ maxBackpressure: 1_000_000 });
      const { socket, session } = await openRaw(server);
      socket.pause();
      sendAll(session);
      await pause(20);
      assert.equal(session.readyState, "open");
      // The oldest that waits, and what is held against the client from the next turn on.
      sendAll(session);
      await turn();
      sendAll(session);
      await turn();
      assert.equal(session.readyState, "open");
      session.send("one more");
      await assertSlowConsumer(server, session);
      socket.resume();
      await readWithoutGap(socket);
    },
  );

  host.it("does not hold up others for a paused reader", { needs: "tcp", timeout: 20_000 }, async () => {
    await using server = await host.start();
    const paused = await openRaw(server);
    const reader = await openRaw(server);
    paused.socket.pause();
    for (let index = 0; index < 100; index++) {
      paused.session.send(body(index));
      reader.session.send(`${index}`);
    }
    const messages = await reader.socket.take(100);
    assert.equal(messages.at(-1), "499");
    paused.socket.reset();
    await server.closed(paused.session);
  });

  host.it(
    "is not writable while the reader is paused, and drains when it reads again",
    { needs: "tcp" },
    async () => {
      await using server = await host.start({ maxBackpressure: 64_000_000 });
      const { socket, session } = await openRaw(server);
      socket.pause();
      sendAll(session);
      await until(() => !session.transport.writable, "the transport to be full");
      socket.resume();
      await socket.take(COUNT);
      await until(() => session.transport.writable, "the transport to drain");
      assert.equal(session.writeBuffer.length, 0);
    },
  );

  host.it("keeps everything for a client that has not polled yet", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    for (let index = 0; index < 300; index++) {
      peer.session.send(`${index}:`.padEnd(10_000, "y"));
    }
    const packets = await peer.pollPackets(300);
    packets.forEach((packet, index) => assert.equal(packet.slice(1, packet.indexOf(":")), String(index)));
  });

  host.it("cleans up after a paused reader that disconnects", { needs: "tcp" }, async () => {
    await using server = await host.start({ maxBackpressure: 64_000_000 });
    const { socket, session } = await openRaw(server);
    socket.pause();
    sendAll(session);
    await pause(50);
    socket.reset();
    assert.match((await server.closed(session)).reason, /^transport (error|close)$/);
    assert.equal(server.engine.clientsCount, 0);
  });
});

/** Lets the kernel's buffers fill; nothing announces that. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
