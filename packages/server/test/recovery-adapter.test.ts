import assert from "node:assert/strict";
import { mock } from "node:test";
import { Encoder, PacketType } from "@tidewire/parser";
import type { BroadcastOptions, Session } from "socket.io-adapter";
import type { ServerOptions } from "../src/options.ts";
import { RecoveryAdapter } from "../src/recovery/adapter.ts";

const MINUTE = 60_000;

/** An adapter whose sockets receive nothing, and the time it is in. */
class Bench {
  readonly adapter: RecoveryAdapter;

  constructor(options: ServerOptions["connectionStateRecovery"] = {}, heartbeat: object = {}) {
    this.adapter = new RecoveryAdapter({
      name: "/",
      sockets: new Map(),
      _ids: 0,
      server: {
        encoder: new Encoder(),
        opts: { connectionStateRecovery: options },
        engine: { opts: heartbeat },
      },
    });
  }

  join(sid: string, ...rooms: string[]): void {
    this.adapter.addAll(sid, new Set([sid, ...rooms]));
  }

  leave(sid: string): void {
    const rooms = [...(this.adapter.sids.get(sid) ?? [])];
    this.adapter.persistSession({ sid, pid: `pid of ${sid}`, rooms, data: {} });
    this.adapter.delAll(sid);
  }

  /** Sends an event, by default to all. */
  send(name: string, target: Partial<BroadcastOptions> = {}): void {
    this.adapter.broadcast(
      { type: PacketType.EVENT, nsp: "/", data: [name] },
      { rooms: new Set(), except: new Set(), ...target },
    );
  }

  /** What a client that comes back gets: the names of the events, or null. */
  async missed(sid: string, offset?: string): Promise<unknown[] | null> {
    const session = await this.restore(sid, offset);
    return session === null ? null : session.missedPackets.map(([name]) => name);
  }

  restore(sid: string, offset?: string): Promise<Session | null> {
    return this.adapter.restoreSession(`pid of ${sid}`, offset);
  }
}

describe("the adapter of connection state recovery", () => {
  beforeEach(() => mock.timers.enable({ apis: ["Date", "setInterval"], now: 1_800_000_000_000 }));
  afterEach(() => mock.timers.reset());

  it("restores what was sent since a session began, if there is no offset", async () => {
    const bench = new Bench();
    bench.send("before");
    bench.join("a", "room");
    bench.send("to all");
    bench.send("to the room", { rooms: new Set(["room"]) });
    bench.leave("a");
    bench.send("to others", { rooms: new Set(["other"]) });
    bench.send("to all but the room", { except: new Set(["room"]) });
    bench.send("to it", { rooms: new Set(["a"]) });
    const session = await bench.restore("a");
    assert.deepEqual([session?.sid, session?.pid, session?.rooms], ["a", "pid of a", ["a", "room"]]);
    assert.deepEqual(await bench.missed("a"), ["to all", "to the room", "to it"]);
  });

  it("restores what was sent behind the offset", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.send("1");
    bench.send("2");
    bench.leave("a");
    const [first] = (await bench.restore("a"))?.missedPackets ?? [];
    assert.equal(first?.[0], "1");
    assert.deepEqual(await bench.missed("a", first?.[1] as string), ["2"]);
  });

  it("treats the offset of an earlier session as absent", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.send("old");
    bench.leave("a");
    const [old] = (await bench.restore("a"))?.missedPackets ?? [];
    bench.send("between");
    bench.join("b");
    bench.send("new");
    bench.leave("b");
    assert.deepEqual(await bench.missed("b", old?.[1] as string), ["new"]);
  });

  it("refuses unknown offsets", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.leave("a");
    assert.equal(await bench.missed("a", "zzzzzzz"), null);
    assert.equal(await bench.missed("a", "hello"), null);
    assert.deepEqual(await bench.missed("a"), []);
  });

  it("adds packets sent until the socket joins", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.leave("a");
    bench.send("1");
    const session = await bench.restore("a");
    bench.send("2");
    assert.deepEqual(
      session?.missedPackets.map(([name]) => name),
      ["1", "2"],
    );
  });

  it("keeps a session until its socket joins, and not longer", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.leave("a");
    await bench.restore("a");
    bench.adapter.delAll("a");
    assert.notEqual(await bench.restore("a"), null);
    bench.join("a");
    assert.equal(await bench.restore("a"), null);
  });

  it("replays packets again that may have been lost again", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.leave("a");
    bench.send("1");
    await bench.restore("a");
    bench.join("a");
    bench.leave("a");
    assert.deepEqual(await bench.missed("a"), ["1"]);
  });

  it("forgets a session after maxDisconnectionDuration", async () => {
    const bench = new Bench({ maxDisconnectionDuration: MINUTE });
    bench.join("a");
    bench.leave("a");
    mock.timers.tick(MINUTE);
    assert.deepEqual(await bench.missed("a"), []);
    mock.timers.tick(1);
    assert.equal(await bench.missed("a"), null);
  });

  it("restores a client that has received nothing for longer than the log covers", async () => {
    const bench = new Bench();
    bench.join("a");
    bench.send("to others", { rooms: new Set(["other"]) });
    mock.timers.tick(10 * MINUTE);
    bench.leave("a");
    bench.send("1");
    assert.deepEqual(await bench.missed("a"), ["1"]);
  });

  it("also keeps packets for as long as a dead connection may go unnoticed", async () => {
    const heartbeat = { pingInterval: 5 * MINUTE, pingTimeout: MINUTE, upgradeTimeout: 0 };
    const bench = new Bench({ maxDisconnectionDuration: MINUTE }, heartbeat);
    bench.join("a");
    bench.send("1");
    mock.timers.tick(6 * MINUTE);
    bench.leave("a");
    mock.timers.tick(MINUTE);
    assert.deepEqual(await bench.missed("a"), ["1"]);
  });

  it("refuses a client that may have missed dropped packets", async () => {
    const bench = new Bench({ maxLogBytes: 2000 });
    bench.join("a");
    bench.leave("a");
    for (let i = 0; i < 10; i++) bench.send(String(i));
    assert.equal(await bench.missed("a"), null);
  });

  it("holds no more than maxLogBytes", async () => {
    const bench = new Bench({ maxLogBytes: 10_000 });
    bench.join("a");
    mock.timers.tick(1000);
    for (let i = 0; i < 100; i++) bench.send("x".repeat(1000));
    const log = Reflect.get(bench.adapter, "log") as { bytes: number; size: number };
    assert.ok(log.bytes <= 10_000 && log.bytes > 8000);
    assert.equal(log.size, 6);
  });

  it("drops old packets by itself, and then releases its timer", () => {
    const bench = new Bench({ maxDisconnectionDuration: MINUTE });
    bench.join("a");
    bench.send("1");
    bench.leave("a");
    mock.timers.tick(3 * MINUTE);
    assert.deepEqual(kept(bench.adapter), { events: 0, states: 0, sweeps: false });
  });

  it("releases everything when it is closed", () => {
    const bench = new Bench();
    bench.join("a");
    bench.send("1");
    bench.leave("a");
    assert.deepEqual(kept(bench.adapter), { events: 1, states: 1, sweeps: true });
    bench.adapter.close();
    assert.deepEqual(kept(bench.adapter), { events: 0, states: 0, sweeps: false });
  });

  it("does not change its packet: several namespaces may get the same one", () => {
    const bench = new Bench();
    const data = ["a", 1];
    bench.adapter.broadcast(
      { type: PacketType.EVENT, nsp: "/", data },
      { rooms: new Set(), except: new Set() },
    );
    assert.deepEqual(data, ["a", 1]);
  });
});

function kept(adapter: RecoveryAdapter): object {
  const log = Reflect.get(adapter, "log") as { size: number };
  const states = Reflect.get(adapter, "states") as { size: number };
  return {
    events: log.size,
    states: states.size,
    sweeps: Reflect.get(adapter, "sweeper") !== undefined,
  };
}
