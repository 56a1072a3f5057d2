// Each step of a chain that chooses receivers, from each object it can start at: what reaches the adapter.
import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import type { BroadcastOptions } from "socket.io-adapter";
import { owning } from "../support/waiting/closing.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Server, Socket } from "../support/server/socketio.ts";
import { pair } from "../support/server/clients.ts";
import type { ServerHost } from "../support/server/hosts.ts";

type Step = (...args: unknown[]) => Emitter;
interface Emitter {
  to: Step;
  in: Step;
  except: Step;
  compress: Step;
  timeout: Step;
  readonly local: Emitter;
  readonly volatile: Emitter;
  emit(event: string, ...args: unknown[]): boolean;
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  send(...args: unknown[]): unknown;
  write(...args: unknown[]): unknown;
  allSockets(): Promise<Set<string>>;
  fetchSockets(): Promise<unknown[]>;
  socketsJoin(rooms: string | string[]): void;
  socketsLeave(rooms: string | string[]): void;
  disconnectSockets(close?: boolean): void;
}

type Call = [
  method: string,
  rooms: string[],
  except: string[],
  flags: object | undefined,
  ...rest: unknown[],
];

const calls: Call[] = [];

function note(method: string, { rooms, except, flags }: BroadcastOptions, ...rest: unknown[]): void {
  calls.push([method, [...rooms], [...(except ?? [])], { ...flags }, ...rest]);
}

class Recording extends Adapter {
  override broadcast(packet: { data: unknown }, target: BroadcastOptions): void {
    note("broadcast", target, packet.data);
  }
  override broadcastWithAck(
    packet: { data: unknown },
    target: BroadcastOptions,
    count: (clients: number) => void,
    answer: (value: string) => void,
  ): void {
    note("broadcastWithAck", target, packet.data);
    count(1);
    answer("yes");
  }
  override async fetchSockets(target: BroadcastOptions): Promise<[]> {
    note("fetchSockets", target);
    return [];
  }
  override async sockets(rooms: Set<string>): Promise<Set<string>> {
    calls.push(["sockets", [...rooms], [], undefined]);
    return new Set(["id"]);
  }
  override addSockets(target: BroadcastOptions, rooms: string[]): void {
    note("addSockets", target, rooms);
  }
  override delSockets(target: BroadcastOptions, rooms: string[]): void {
    note("delSockets", target, rooms);
  }
  override disconnectSockets(target: BroadcastOptions, close: boolean): void {
    note("disconnectSockets", target, close);
  }
}

interface Start extends AsyncDisposable {
  readonly emitter: Emitter;
  /** Who is left out from the start. */
  readonly except: string[];
}

const starts: Readonly<Record<string, (io: Server, socket: Socket) => unknown>> = {
  "the server": (io) => io,
  "a namespace": (io) => io.of("/"),
  "a socket": (_io, socket) => socket,
  "socket.broadcast": (_io, socket) => socket.broadcast,
  "an operator": (io) => io.compress(true),
};

async function started(host: ServerHost, name: string): Promise<Start> {
  const running = await host.start({ adapter: Recording });
  const { socket } = await pair(running);
  calls.length = 0;
  const emitter = starts[name]?.(running.io, socket) as Emitter;
  return owning({ emitter, except: name.includes("socket") ? [socket.id] : [] }, running);
}

/** The flags that an operator of the table has to begin with. */
const flagsOf = (name: string): object => (name === "an operator" ? { compress: true } : {});

for (const name of Object.keys(starts)) {
  onEveryHost(`from ${name}`, serverHosts, (host) => {
    const initial = flagsOf(name);

    it("to() and in() add rooms, except() excludes some", async () => {
      await using begun = await started(host, name);
      const { emitter, except } = begun;
      emitter.to("a").in(["b", "c"]).to("a").except("d").except(["e", "f"]).emit("ev", 1);
      emitter.in("a").emit("ev");
      emitter.except(["d"]).emit("ev");
      assert.deepEqual(calls, [
        ["broadcast", ["a", "b", "c"], [...except, "d", "e", "f"], initial, ["ev", 1]],
        ["broadcast", ["a"], except, initial, ["ev"]],
        ["broadcast", [], [...except, "d"], initial, ["ev"]],
      ]);
    });

    it("local, volatile, compress() and timeout() set a flag", async () => {
      await using begun = await started(host, name);
      const { emitter, except } = begun;
      emitter.to("a").local.volatile.compress(false).timeout(5).emit("ev");
      emitter.local.emit("ev");
      assert.deepEqual(calls, [
        ["broadcast", ["a"], except, { local: true, volatile: true, compress: false, timeout: 5 }, ["ev"]],
        ["broadcast", [], except, { ...initial, local: true }, ["ev"]],
      ]);
    });

    it("emit() with a function, and emitWithAck(), request acks", async () => {
      await using begun = await started(host, name);
      const { emitter, except } = begun;
      const operator = emitter.to("a").timeout(5_000);
      const args = await new Promise((resolve) => operator.emit("q", 1, (...got: unknown[]) => resolve(got)));
      assert.deepEqual(args, [null, ["yes"]]);
      assert.deepEqual(await operator.emitWithAck("q", 2), ["yes"]);
      const flags = { ...initial, timeout: 5_000 };
      assert.deepEqual(calls, [
        ["broadcastWithAck", ["a"], except, flags, ["q", 1]],
        ["broadcastWithAck", ["a"], except, flags, ["q", 2]],
      ]);
    });

    it("fetchSockets(), socketsJoin(), socketsLeave() and disconnectSockets() reach the selected sockets", async () => {
      await using begun = await started(host, name);
      const { emitter, except } = begun;
      const operator = emitter.to("a").local;
      assert.deepEqual(await operator.fetchSockets(), []);
      operator.socketsJoin("r");
      operator.socketsJoin(["r", "s"]);
      operator.socketsLeave("r");
      operator.socketsLeave(["r", "s"]);
      operator.disconnectSockets();
      operator.disconnectSockets(true);
      const target = [["a"], except, { ...initial, local: true }] as const;
      assert.deepEqual(calls, [
        ["fetchSockets", ...target],
        ["addSockets", ...target, ["r"]],
        ["addSockets", ...target, ["r", "s"]],
        ["delSockets", ...target, ["r"]],
        ["delSockets", ...target, ["r", "s"]],
        ["disconnectSockets", ...target, false],
        ["disconnectSockets", ...target, true],
      ]);
    });

    it("allSockets() returns the ids in the rooms", async () => {
      await using begun = await started(host, name);
      const { emitter } = begun;
      assert.deepEqual(await emitter.to("a").in("b").allSockets(), new Set(["id"]));
      assert.deepEqual(calls, [["sockets", ["a", "b"], [], undefined]]);
    });
  });
}

for (const name of ["the server", "a namespace"]) {
  onEveryHost(`straight from ${name}`, serverHosts, (host) => {
    it("emit(), send() and write() reach all clients", async () => {
      await using begun = await started(host, name);
      const { emitter } = begun;
      assert.equal(emitter.emit("ev", 1), true);
      assert.equal(emitter.send("a", 2), emitter);
      assert.equal(emitter.write("b"), emitter);
      assert.deepEqual(calls, [
        ["broadcast", [], [], {}, ["ev", 1]],
        ["broadcast", [], [], {}, ["message", "a", 2]],
        ["broadcast", [], [], {}, ["message", "b"]],
      ]);
    });

    it("volatile, compress() and timeout() start a chain", async () => {
      await using begun = await started(host, name);
      const { emitter } = begun;
      emitter.volatile.emit("ev");
      emitter.compress(false).emit("ev");
      await emitter.timeout(5_000).emitWithAck("ev");
      assert.deepEqual(calls, [
        ["broadcast", [], [], { volatile: true }, ["ev"]],
        ["broadcast", [], [], { compress: false }, ["ev"]],
        ["broadcastWithAck", [], [], { timeout: 5_000 }, ["ev"]],
      ]);
    });

    it("fetchSockets(), allSockets(), socketsJoin(), socketsLeave() and disconnectSockets() reach all", async () => {
      await using begun = await started(host, name);
      const { emitter } = begun;
      await emitter.fetchSockets();
      await emitter.allSockets();
      emitter.socketsJoin("r");
      emitter.socketsLeave(["r"]);
      emitter.disconnectSockets();
      emitter.disconnectSockets(true);
      assert.deepEqual(calls, [
        ["fetchSockets", [], [], {}],
        ["sockets", [], [], undefined],
        ["addSockets", [], [], {}, ["r"]],
        ["delSockets", [], [], {}, ["r"]],
        ["disconnectSockets", [], [], {}, false],
        ["disconnectSockets", [], [], {}, true],
      ]);
    });

    it("emitWithAck() requests an ack from all clients", async () => {
      await using begun = await started(host, name);
      const { emitter } = begun;
      assert.deepEqual(await emitter.emitWithAck("q", 1), ["yes"]);
    });
  });
}

onEveryHost("the modifiers of a socket", serverHosts, (host) => {
  it("apply only to the chain that starts next", async () => {
    await using begun = await started(host, "a socket");
    const { emitter, except } = begun;
    emitter.volatile.compress(false).to("a").emit("one");
    emitter.to("a").emit("two");
    assert.deepEqual(calls, [
      ["broadcast", ["a"], except, { volatile: true, compress: false }, ["one"]],
      ["broadcast", ["a"], except, {}, ["two"]],
    ]);
  });

  it("stay for the next emit when the name of the event is refused", async () => {
    await using begun = await started(host, "a socket");
    const { emitter, except } = begun;
    assert.throws(() => emitter.volatile.emit("disconnect"));
    emitter.to("a").emit("ev");
    assert.deepEqual(calls, [["broadcast", ["a"], except, { volatile: true }, ["ev"]]]);
  });
});
