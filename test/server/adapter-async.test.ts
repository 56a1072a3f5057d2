import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import type { BroadcastOptions } from "socket.io-adapter";
import { connected, pair, settled } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { uncaught } from "../support/process/uncaught.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An adapter whose methods all wait for something else first. */
class Slow extends Adapter {
  override async init(): Promise<void> {
    await turn();
  }
  override async close(): Promise<void> {
    await turn();
  }
  override async addAll(id: string, rooms: Set<string>): Promise<void> {
    await turn();
    await super.addAll(id, rooms);
  }
  override async del(id: string, room: string): Promise<void> {
    await turn();
    await super.del(id, room);
  }
}
// Declared to return nothing, and published adapters return promises all the same.
Object.assign(Slow.prototype, {
  async delAll(this: Slow, id: string): Promise<void> {
    await turn();
    Adapter.prototype.delAll.call(this, id);
  },
  async broadcast(this: Slow, packet: unknown, target: BroadcastOptions): Promise<void> {
    await turn();
    Adapter.prototype.broadcast.call(this, packet, target);
  },
});

/** Resolves when the adapter holds that many sockets. */
async function holds({ io }: StartedServer, count: number): Promise<void> {
  while (io.sockets.adapter.sids.size !== count) await turn();
}

onEveryHost("an adapter whose functions are asynchronous", serverHostsAndApp, (host) => {
  it("joins and leaves asynchronously", async () => {
    await using running = await host.start({ adapter: Slow });
    const { client, socket } = await pair(running);
    const joined = socket.join(["a", "b"]);
    assert.equal(socket.rooms.has("a"), false);
    await joined;
    assert.deepEqual(socket.rooms, new Set([socket.id, "a", "b"]));
    await socket.leave("a");
    assert.deepEqual(socket.rooms, new Set([socket.id, "b"]));
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    await holds(running, 0);
    assert.equal(running.io.sockets.adapter.rooms.size, 0);
  });

  it("delivers broadcasts in order, to the members of the room at that time", async () => {
    await using running = await host.start({ adapter: Slow });
    const { client, socket } = await pair(running);
    await socket.join("room");
    const heard: unknown[] = [];
    client.on("n", (value: unknown) => heard.push(value));
    const last = next(client, "last");
    for (let index = 0; index < 5; index++) running.io.to("room").emit("n", index);
    running.io.to("elsewhere").emit("n", "not");
    running.io.emit("last");
    await last;
    assert.deepEqual(heard, [0, 1, 2, 3, 4]);
    await settled(client, socket);
  });

  it("serves clients while its init() is pending", async () => {
    class Never extends Slow {
      override init(): Promise<void> {
        return new Promise(() => {});
      }
    }
    await using running = await host.start({ adapter: Never });
    const { client, socket } = await pair(running);
    await settled(client, socket);
  });

  it("is waited for when the server closes", async () => {
    let isClosed = false;
    class Closing extends Slow {
      override async close(): Promise<void> {
        await super.close();
        isClosed = true;
      }
    }
    await using running = await host.start({ adapter: Closing });
    await connected(running.client());
    await running.io.close();
    assert.equal(isClosed, true);
  });

  it("that rejects is an unhandled rejection, and the connection stays", async () => {
    const failure = new Error("no broker");
    class Failing extends Adapter {}
    Object.assign(Failing.prototype, { broadcast: () => Promise.reject(failure) });
    await using running = await host.start({ adapter: Failing });
    const { client, socket } = await pair(running);
    const surfaced = uncaught(1);
    running.io.emit("ev");
    assert.deepEqual(await surfaced, [failure]);
    await settled(client, socket);
  });
});
