// Processes on two machines, a load balancer without affinity before them, and their journal in Redis. Events are sent all the time, and
// every client checks that it gets each one once. MACHINES=long makes a longer run, with more of everything, behind nginx as well as
// HAProxy; EVENT_RATE sets how many events are sent per second.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { describeWith } from "../support/backends/describe-with.ts";
import type { FrontName } from "../support/machines/front.ts";
import type { MachineNode } from "../support/machines/machine-node.ts";
import { Machines, until } from "../support/machines/machines.ts";
import { whyNoNamespaces } from "../support/machines/network.ts";
import { outcomeOf } from "../support/machines/witness.ts";
import type { Outcome, Witness } from "../support/machines/witness.ts";
import { whyNoRedis } from "../support/redis/redis-server.ts";

const isLong = process.env["MACHINES"] === "long";
const PROCESSES = isLong ? ([3, 3] as const) : ([2, 1] as const);
const ROUNDS = isLong ? 3 : 1;
const CLIENTS = isLong ? 60 : 10;
/** How many events are sent per second. */
const RATE = Number(process.env["EVENT_RATE"] ?? (isLong ? 2000 : 200));
/** How long something is away at least, in ms: the short form goes on when everybody has noticed. */
const OUTAGE = isLong ? 10_000 : 0;
/** As browsers do it, or faster. */
const RECONNECTION = isLong ? {} : { reconnectionDelay: 100, reconnectionDelayMax: 300 };
/** Within this many ms every client is back that is asked to leave; measured in the long form only. */
const BACK = 2000;

const why = whyNoNamespaces();
const place = why === undefined ? "network namespaces" : `addresses of the loopback interface: ${why}`;

for (const front of isLong ? (["HAProxy", "nginx"] as const) : (["HAProxy"] as const)) {
  const missing = whyNoRedis ?? (findProxy(front) === undefined ? whyMissing(front) : undefined);
  const title = `two machines behind ${front} under load [${place}]`;
  describeWith(`Redis and ${front}`, missing, title, function () {
    this.timeout(isLong ? 300_000 : 120_000);
    describeLoad(front);
  });
}

function describeLoad(front: FrontName): void {
  /** The tests follow one another: the last ones end some of the processes. */
  let machines: Machines;
  let witnesses: Witness[];

  before(async () => {
    machines = await Machines.start({ front, processes: PROCESSES, drainWithin: isLong ? 2000 : 400 });
    witnesses = await machines.witnesses(CLIENTS, RECONNECTION);
    machines.talk(RATE);
  });

  after(async () => {
    for (const witness of witnesses ?? []) witness[Symbol.dispose]();
    await machines?.[Symbol.asyncDispose]();
  });

  /** What happens to clients while something is done, until they have everything. Then the processes talk again. */
  async function during(act: () => Promise<void>): Promise<Outcome> {
    const before = outcomeOf(witnesses);
    for (const witness of witnesses) witness.longest = 0;
    const begin = performance.now();
    await act();
    await machines.settle(witnesses);
    const after = outcomeOf(witnesses);
    const names = Object.keys(after) as (keyof Outcome)[];
    const outcome = Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
    if (isLong) {
      const seconds = Math.round((performance.now() - begin) / 1000);
      const longest = Math.round(Math.max(...witnesses.map((witness) => witness.longest)));
      process.stdout.write(
        `      ${seconds} s: ${JSON.stringify(outcome)}, away for ${longest} ms at most\n`,
      );
    }
    machines.talk(RATE);
    return outcome as unknown as Outcome;
  }

  /** Those whose WebSocket ends where their session is: one of a late upgrade may be relayed. */
  const areOnWebSocket = (all: readonly Witness[]): Witness[] =>
    all.filter(({ socket }) => String(socket.io.opts.transports) === "websocket");

  const areOnPolling = (all: readonly Witness[]): Witness[] =>
    all.filter(({ socket }) => socket.io.engine.transport.name === "polling");

  const lossesOf = (all: readonly Witness[]): number[] => all.map(({ outcome }) => outcome.losses);

  it(`lose nothing and refuse nobody while each process is restarted, ${ROUNDS} times`, async () => {
    const outcome = await during(async () => {
      for (let round = 0; round < ROUNDS; round++)
        for (const node of machines.nodes) await machines.restart(node, RATE);
    });
    // Of those that a process passes on while it ends, a WebSocket may break again.
    const { losses, interrupted } = outcome;
    assert.deepEqual(
      witnesses.flatMap(({ refusals }) => refusals),
      [],
    );
    assert.ok(losses >= CLIENTS);
    assert.deepEqual(outcome, {
      losses,
      interrupted,
      refused: 0,
      recovered: losses,
      anew: 0,
      missing: 0,
      twice: 0,
      late: 0,
    });
    // The reloads of nginx take from the same two cores.
    if (isLong && front === "HAProxy")
      for (const { longest } of witnesses) assert.ok(longest <= BACK, `away for ${longest} ms`);
  });

  it("lose nothing while the link between them is down, and come together again", async () => {
    const { network } = machines;
    const [one, other] = network.machines.map((machine) =>
      machines.nodes.filter((node) => node.machine === machine),
    ) as [MachineNode[], MachineNode[]];
    const staying = areOnWebSocket(witnesses).filter((_, index) => index % 2 === 0);
    const breaking = areOnWebSocket(witnesses).filter((_, index) => index % 2 === 1);
    const before = lossesOf(staying);
    const outcome = await during(async () => {
      const leaving = Promise.all([tellsOf(one, "leave", other), tellsOf(other, "leave", one)]);
      network.cut();
      await leaving;
      for (const witness of breaking) witness.breakConnection();
      await delay(OUTAGE);
      const joining = Promise.all([tellsOf(one, "join", other), tellsOf(other, "join", one)]);
      network.mend();
      await joining;
    });
    assert.deepEqual(lossesOf(staying), before);
    const { missing, twice, anew, late } = outcome;
    assert.deepEqual({ missing, twice, anew, late }, { missing: 0, twice: 0, anew: 0, late: 0 });
  });

  // nginx asks no process whether it lives.
  const whereHealthIsAsked = front === "HAProxy" ? it : () => {};

  whereHealthIsAsked(
    "recover the clients of a process that hangs, which has lost them when it goes on",
    async () => {
      // Of the end of a WebSocket it learns when it goes on; long-polling has no connection that ends.
      const stopped = machines.busiest(areOnPolling(witnesses));
      const affected = witnesses.filter(({ pid }) => pid === stopped.pid);
      const untouched = areOnWebSocket(witnesses.filter(({ pid }) => pid !== stopped.pid));
      const ids = affected.map(({ socket }) => socket.id);
      const before = lossesOf(untouched);
      const outcome = await during(async () => {
        stopped.child.kill("SIGSTOP");
        await until(
          () => affected.every(({ pid, socket }) => pid !== stopped.pid && socket.connected),
          "the clients to come back",
        );
        await delay(OUTAGE);
        stopped.child.kill("SIGCONT");
        while ((await stopped.nodes()).length < machines.nodes.length) await delay(50);
      });
      assert.deepEqual(lossesOf(untouched), before);
      const { missing, twice, anew, late } = outcome;
      assert.deepEqual({ missing, twice, anew, late }, { missing: 0, twice: 0, anew: 0, late: 0 });
      assert.deepEqual(
        affected.map(({ socket }) => socket.id),
        ids,
      );
      // Who is cut off once more, by the load balancer or a poll that waited there, may have come back to it.
      let lost: Witness[] = [];
      await until(
        async () => {
          const { own } = await stopped.sockets();
          lost = affected.filter(({ pid, socket }) => pid !== stopped.pid && own.includes(String(socket.id)));
          return lost.length === 0;
        },
        () =>
          `the process to let go of its sockets: ${lost.map((each) => each.describe(machines.sent)).join("; ")}`,
      );
      // One that is just coming back is nowhere for a moment.
      const other = machines.nodes.find((node) => node !== stopped)!;
      let all: readonly string[] = [];
      await until(
        async () => {
          all = (await other.sockets()).all.toSorted();
          return isDeepStrictEqual(all, witnesses.map(({ socket }) => String(socket.id)).toSorted());
        },
        () => `each client to have one socket: ${all.join(", ")}`,
      );
    },
  );

  it("recover the clients of a process that was killed, and the others notice nothing", async () => {
    const killed = machines.busiest(witnesses);
    const affected = witnesses.filter(({ pid }) => pid === killed.pid);
    const untouched = areOnWebSocket(witnesses.filter(({ pid }) => pid !== killed.pid));
    const before = lossesOf(untouched);
    const outcome = await during(async () => {
      await delay(OUTAGE / 5);
      machines.kill(killed);
      await until(
        () => affected.every(({ pid, socket }) => pid !== killed.pid && socket.connected),
        "the clients to come back",
      );
      await delay(OUTAGE / 5);
    });
    assert.deepEqual(lossesOf(untouched), before);
    const { missing, twice, anew, late } = outcome;
    assert.deepEqual({ missing, twice, anew, late }, { missing: 0, twice: 0, anew: 0, late: 0 });
  });

  it("end in good order while Redis hangs, and while there is none", async () => {
    const [one, other] = machines.nodes as [MachineNode, MachineNode];
    const away = other.laterReports("away");
    machines.redis.stall();
    // It may not have noticed.
    await machines.end(one);
    await machines.redis.kill();
    assert.deepEqual((await away.take(2)).map(String).toSorted(), ["DISCOVERY_AWAY", "JOURNAL_AWAY"]);
    await machines.end(other);
  });
}

/** Waits until each of these nodes says it of each of the others, from now on. */
async function tellsOf(
  nodes: readonly MachineNode[],
  event: "join" | "leave",
  others: readonly MachineNode[],
): Promise<void> {
  const expected = new Set(others.map(({ id }) => id));
  await Promise.all(
    nodes.map(async (node) => {
      const reports = node.laterReports(event);
      const rest = new Set(expected);
      while (rest.size > 0) rest.delete(String(await reports.next()));
    }),
  );
}
