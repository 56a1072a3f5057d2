import assert from "node:assert/strict";
import { io as connectClient } from "socket.io-client";
import { collectGarbage } from "../support/process/garbage.ts";
import { connected, upgraded } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawSession } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";

const rounds = 150;

type Watch = (thing: object) => void;

/** Connects, upgrades, says a word and leaves; nothing of it stays with the caller. */
async function round(running: StartedServer, how: number): Promise<void> {
  const client = connectClient(running.url, { forceNew: true, reconnection: false });
  await connected(client);
  await upgraded(client);
  await client.emitWithAck("word", Buffer.from("x"));
  if (how % 3 === 0) client.io.engine.close();
  else client.disconnect();
}

/** A polling session that begins to upgrade and is torn in the middle. */
async function abandonedUpgrade(running: StartedServer): Promise<void> {
  const poll = await fetch(`${running.url}/socket.io/?EIO=4&transport=polling`);
  const { sid } = JSON.parse((await poll.text()).slice(1)) as { sid: string };
  const wire = await RawWebSocket.connect(running.port, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
  wire.sendText("2probe");
  await wire.next();
  wire.reset();
}

/** How many are still reachable once the collector has had its chances. */
async function reachable(watched: WeakRef<object>[]): Promise<number> {
  const count = (): number => watched.filter((ref) => ref.deref() !== undefined).length;
  for (let attempt = 0; attempt < 50 && count() > 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
  }
  return count();
}

async function emptied(running: StartedServer): Promise<void> {
  while (running.io.engine.clientsCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

onEveryHost("memory", serverHosts, (host) => {
  it(`releases ${rounds} sockets after they disconnect`, async function () {
    this.timeout(60_000);
    await using running = await host.start();
    const watched: WeakRef<object>[] = [];
    const watch: Watch = (thing) => void watched.push(new WeakRef(thing));
    running.io.on("connection", (socket: Socket) => {
      watch(socket);
      watch(socket.client);
      watch(socket.conn);
      watch(socket.handshake);
      void socket.join(`room ${socket.id}`);
      socket.on("word", (_data: Buffer, ack: () => void) => ack());
      socket.emit("asked", () => {});
    });
    for (let begun = 0; begun < rounds; begun += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => round(running, begun + index)));
    }
    await emptied(running);
    assert.equal(watched.length, rounds * 4);
    assert.equal(running.io.sockets.sockets.size, 0);
    assert.equal(running.io.sockets.adapter.rooms.size, 0);
    assert.equal(running.io.sockets.adapter.sids.size, 0);
    assert.equal(await reachable(watched), 0);
  });

  it("releases 50 abandoned upgrades after their ping timeout", async function () {
    this.timeout(30_000);
    await using running = await host.start({
      // Long enough for ten upgrades to begin on a busy machine.
      pingInterval: 1_000,
      pingTimeout: 600,
      upgradeTimeout: 1_000,
      connectTimeout: 1_000,
    });
    const watched: WeakRef<object>[] = [];
    running.io.engine.on("connection", (conn: object) => void watched.push(new WeakRef(conn)));
    for (let begun = 0; begun < 50; begun += 10) {
      await Promise.all(Array.from({ length: 10 }, () => abandonedUpgrade(running)));
    }
    await emptied(running);
    assert.equal(watched.length, 50);
    assert.equal(await reachable(watched), 0);
  });

  it("releases a refused socket", async () => {
    await using running = await host.start();
    const watched: WeakRef<object>[] = [];
    running.io.use((socket, done) => {
      watched.push(new WeakRef(socket));
      done(new Error("no"));
    });
    for (let index = 0; index < 20; index++) {
      const connection = next(running.io.engine, "connection");
      const wire = await rawSession(running);
      const [conn] = await connection;
      wire.sendText("40");
      await wire.next();
      const closed = next(conn, "close");
      wire.reset();
      await closed;
    }
    assert.equal(watched.length, 20);
    assert.equal(await reachable(watched), 0);
  });
});
