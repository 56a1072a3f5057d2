// Nodes in processes of their own, whose journal is in Redis, behind a load balancer without affinity: events flow all the time.
// RESTORES makes a longer run, EVENT_RATE a faster one.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Listener, RecoveringProcesses } from "../support/processes/recovering-processes.ts";
import { describeWithRedis } from "../support/redis/redis-server.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { next } from "../support/waiting/events.ts";

const HOSTS = [whyNoUws === undefined ? "uws" : "node", "node", "node"] as const;
const CLIENTS = 60;
/** How many events are sent per second. */
const RATE = Number(process.env["EVENT_RATE"] ?? 1000);
const restores = Number(process.env["RESTORES"] ?? 100);

async function listening(processes: RecoveringProcesses, count: number): Promise<Listener[]> {
  const listeners = Array.from({ length: count }, (_, index) => new Listener(processes.url, index % 20));
  await Promise.all(listeners.map(({ socket }) => next(socket, "connect")));
  await until(() => listeners.every(({ node }) => node !== ""), "clients to know their nodes");
  return listeners;
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}

/** Resolves once every listener has the last event that each node has sent to its room. */
async function heardAll(listeners: readonly Listener[], processes: RecoveringProcesses): Promise<void> {
  for (const each of processes.all) {
    const sent = await each.hush();
    await until(
      () => listeners.every(({ room, latest }) => latest.get(each.id) === sent[room]),
      "the last events to arrive",
    );
  }
}

/** Resolves once every listener has something more of each node. */
async function hearing(listeners: readonly Listener[], processes: RecoveringProcesses): Promise<void> {
  const before = listeners.map(({ latest }) => new Map(latest));
  await until(
    () =>
      listeners.every(({ latest }, index) =>
        processes.all.every(({ id }) => (latest.get(id) ?? 0) > (before[index]!.get(id) ?? 0)),
      ),
    "the next events to arrive",
  );
}

async function allBack(listeners: readonly Listener[]): Promise<void> {
  await until(
    () => listeners.every(({ losses, recoveries, refusals }) => losses === recoveries + refusals),
    "all clients to come back",
  );
}

function outcomeOf(
  listeners: readonly Listener[],
): Record<"recovered" | "refused" | "missing" | "twice", number> {
  const sum = (name: "missing" | "twice" | "refusals" | "recoveries"): number =>
    listeners.reduce((total, listener) => total + listener[name], 0);
  return {
    recovered: sum("recoveries"),
    refused: sum("refusals"),
    missing: sum("missing"),
    twice: sum("twice"),
  };
}

describeWithRedis("recovery under load", function () {
  this.timeout(60_000 + restores * 100);

  /** In the order of the tests: the last one kills one of them. */
  let processes: RecoveringProcesses;
  let listeners: Listener[];

  before(async () => {
    processes = await RecoveringProcesses.start(HOSTS, "journal");
    listeners = await listening(processes, CLIENTS);
    for (const each of processes.all) each.talk(RATE / HOSTS.length);
  });

  after(async () => {
    for (const listener of listeners ?? []) listener[Symbol.dispose]();
    await processes?.[Symbol.asyncDispose]();
  });

  it(`loses nothing in ${restores} restores under ${RATE} events per second, and nothing arrives twice`, async () => {
    for (let count = 0; count < restores; count++) {
      const listener = listeners[(count * 7) % CLIENTS]!;
      if (!listener.socket.connected) await next(listener.socket, "connect");
      listener.breakConnection();
      await delay(15);
    }
    await allBack(listeners);
    await heardAll(listeners, processes);
    assert.deepEqual(outcomeOf(listeners), { recovered: restores, refused: 0, missing: 0, twice: 0 });
    for (const each of processes.all) {
      assert.deepEqual([each.reports("gap").pending, each.reports("away").pending], [[], []]);
    }
  });

  /** Breaks connections, one after the other, until all nodes have said that their journal is away, or back. */
  async function breakingUntilReported(event: "away" | "back", happen: () => unknown): Promise<void> {
    const said = (): number[] =>
      processes.all.map(
        (each) => each.reports(event).pending.filter((code) => code === "JOURNAL_AWAY").length,
      );
    const before = said();
    await happen();
    let isOver = false;
    const breaking = (async () => {
      for (let count = 0; !isOver; count++) {
        const { socket } = listeners[(count * 7) % CLIENTS]!;
        if (socket.connected && count % 3 === 0) socket.io.engine.close();
        await delay(30);
      }
    })();
    try {
      await until(() => said().every((count, index) => count > before[index]!), `nodes to say "${event}"`);
    } finally {
      isOver = true;
      await breaking;
    }
  }

  async function breakAndReturn(broken: readonly Listener[]): Promise<void> {
    await until(() => broken.every(({ socket }) => socket.connected), "clients to be there");
    for (const listener of broken) listener.breakConnection();
    await allBack(broken);
  }

  it("loses nothing while Redis hangs, dies, and comes back with nothing in it, and never recovers wrongly", async () => {
    const { redis } = processes;
    const before = outcomeOf(listeners);
    for (const each of processes.all) each.talk(RATE / HOSTS.length);
    await breakingUntilReported("away", () => redis.stall());
    await breakingUntilReported("back", () => redis.resume());
    await breakingUntilReported("away", () => redis.kill());
    await breakAndReturn(listeners.slice(0, 5));
    await breakingUntilReported("back", () => redis.start());
    await allBack(listeners);
    const during = outcomeOf(listeners);
    assert.ok(during.refused >= before.refused + 5);
    // Nodes end epochs for a moment yet, because of what came over the links: once a second at most.
    let refusedAt = performance.now();
    while (performance.now() - refusedAt < 2500) {
      const { refused } = outcomeOf(listeners);
      await hearing(listeners, processes);
      await breakAndReturn(listeners.slice(0, 5));
      if (outcomeOf(listeners).refused > refused) refusedAt = performance.now();
    }
    assert.ok(outcomeOf(listeners).recovered > during.recovered);
    // Who was refused knows no numbers.
    await hearing(listeners, processes);
    await heardAll(listeners, processes);
    const { missing, twice } = outcomeOf(listeners);
    assert.deepEqual({ missing, twice }, { missing: 0, twice: 0 });
    for (const each of processes.all) assert.deepEqual(each.reports("gap").pending, []);
  });

  it("recovers the clients of a node that was killed, and the others notice nothing", async () => {
    const before = outcomeOf(listeners);
    for (const each of processes.all) each.talk(RATE / HOSTS.length);
    await delay(300);
    const killed = processes.killFirst();
    const clients = listeners.filter(({ node }) => node === killed.id);
    const losses = listeners.map((listener) => listener.losses);
    assert.ok(clients.length > 0);
    await until(() => clients.every((listener) => listener.node !== killed.id), "clients to come back");
    await allBack(listeners);
    await delay(200);
    await heardAll(listeners, processes);
    const affected = listeners.filter((listener, index) => listener.losses !== losses[index]);
    assert.deepEqual(new Set(affected), new Set(clients));
    assert.deepEqual(outcomeOf(listeners), { ...before, recovered: before.recovered + clients.length });
    // What it has sent last has reached everybody, or its own clients at most.
    const others = listeners.filter((listener) => !affected.includes(listener));
    for (const { room, latest } of listeners) {
      const known = others
        .filter((other) => other.room === room)
        .map((other) => other.latest.get(killed.id)!);
      assert.ok(latest.get(killed.id)! >= Math.max(...known));
    }
  });

  it("recovers nobody with the adapter of Redis streams, which keeps sessions when they end", async () => {
    await using others = await RecoveringProcesses.start(HOSTS.slice(1), "streams");
    const clients = await listening(others, 10);
    for (const each of others.all) each.talk(100);
    await delay(300);
    const killed = others.killFirst();
    const affected = clients.filter(({ node }) => node === killed.id);
    assert.ok(affected.length > 0);
    await until(
      () => affected.every(({ recoveries, refusals }) => recoveries + refusals > 0),
      "clients to come back",
    );
    for (const client of clients) client[Symbol.dispose]();
    const { recovered, refused } = outcomeOf(clients);
    assert.deepEqual({ recovered, refused }, { recovered: 0, refused: affected.length });
  });
});
