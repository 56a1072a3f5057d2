import assert from "node:assert/strict";
import { Adapter, type BroadcastOptions } from "socket.io-adapter";
import { connected, pair, settled } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";

type Packet = { type: number; nsp: string; data: unknown[] };

onEveryHost("adapter", serverHostsAndApp, (host) => {
  it("is an Adapter of socket.io-adapter by default", async () => {
    await using running = await host.start();
    const { io } = running;
    assert.ok(io.sockets.adapter instanceof Adapter);
    assert.equal(io.of("/b").adapter.nsp, io.of("/b"));
  });

  it("may be a subclass, which sees rooms and broadcasts", async () => {
    const calls: unknown[][] = [];
    class Watching extends Adapter {
      override addAll(id: string, rooms: Set<string>): void {
        calls.push(["addAll", [...rooms].includes(id) ? "own" : [...rooms]]);
        void super.addAll(id, rooms);
      }
      override broadcast(packet: Packet, opts: BroadcastOptions): void {
        calls.push(["broadcast", packet.data, [...opts.rooms], opts.flags]);
        super.broadcast(packet, opts);
      }
      override del(id: string, room: string): void {
        calls.push(["del", room]);
        void super.del(id, room);
      }
      override delAll(id: string): void {
        calls.push(["delAll"]);
        super.delAll(id);
      }
    }
    await using running = await host.start({ adapter: Watching });
    const { client, socket } = await pair(running);
    await socket.join("room");
    const heard = next(client, "ev");
    running.io.to("room").volatile.emit("not", 0);
    running.io.to("room").emit("ev", 1);
    assert.deepEqual(await heard, [1]);
    await socket.leave("room");
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    assert.deepEqual(calls, [
      ["addAll", "own"],
      ["addAll", ["room"]],
      ["broadcast", ["not", 0], ["room"], { volatile: true }],
      ["broadcast", ["ev", 1], ["room"], {}],
      ["del", "room"],
      ["delAll"],
    ]);
  });

  it("may be a plain function that returns an adapter", async () => {
    const made: Adapter[] = [];
    function create(nsp: ConstructorParameters<typeof Adapter>[0]): Adapter {
      const adapter = new Adapter(nsp);
      made.push(adapter);
      return adapter;
    }
    await using running = await host.start({ adapter: create as never });
    assert.deepEqual(made, [running.io.sockets.adapter]);
    const { client, socket } = await pair(running);
    await socket.join("room");
    const heard = next(client, "ev");
    running.io.to("room").emit("ev", 1);
    assert.deepEqual(await heard, [1]);
  });

  it("delivers once, in order, and to the right clients through the base class", async () => {
    class Plain extends Adapter {}
    await using running = await host.start({ adapter: Plain });
    const [a, b] = [await pair(running), await pair(running)];
    await a.socket.join("room");
    const heard: unknown[] = [];
    a.client.on("ev", (value) => heard.push(["a", value]));
    b.client.on("ev", (value) => heard.push(["b", value]));
    a.socket.emit("ev", 1);
    running.io.to("room").emit("ev", "é 2");
    a.socket.emit("ev", 3);
    running.io.except("room").emit("ev", Buffer.from([4]));
    await settled(a.client, a.socket);
    await settled(b.client, b.socket);
    const of = (name: string): unknown[] => (heard as [string, unknown][]).filter(([who]) => who === name);
    assert.deepEqual(of("a"), [
      ["a", 1],
      ["a", "é 2"],
      ["a", 3],
    ]);
    assert.deepEqual(of("b"), [["b", Buffer.from([4])]]);
  });

  it("collects acks through the base class", async () => {
    class Plain extends Adapter {}
    await using running = await host.start({ adapter: Plain });
    const { client } = await pair(running);
    client.on("q", (ack: (answer: string) => void) => ack("a"));
    assert.deepEqual(await running.io.timeout(5_000).emitWithAck("q"), ["a"]);
  });

  it("is initialised once per namespace, and again when it is replaced", async () => {
    const inits: string[] = [];
    class Counting extends Adapter {
      override init(): void {
        inits.push(this.nsp.name);
      }
    }
    await using running = await host.start({ adapter: Counting });
    const { io } = running;
    io.of("/b");
    assert.deepEqual(inits, ["/", "/b"]);
    assert.equal(io.adapter(Counting), io);
    assert.deepEqual(inits, ["/", "/b", "/", "/b"]);
    assert.equal(io.adapter(), Counting);
  });

  it("whose init() rejects does not bring the process down", async () => {
    class Broken extends Adapter {
      override init(): Promise<void> {
        return Promise.reject(new Error("no broker"));
      }
    }
    await using running = await host.start({ adapter: Broken });
    await connected(running.client());
  });

  it("may join asynchronously: join() returns its promise", async () => {
    class Slow extends Adapter {
      override async addAll(id: string, rooms: Set<string>): Promise<void> {
        await new Promise(setImmediate);
        await super.addAll(id, rooms);
      }
    }
    await using running = await host.start({ adapter: Slow });
    const { socket } = await pair(running);
    await socket.join("room");
    assert.equal(socket.rooms.has("room"), true);
  });
});
