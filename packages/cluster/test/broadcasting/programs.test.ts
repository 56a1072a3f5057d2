// Random programs of broadcasts, commands and questions, run on three nodes, on three servers with the official adapter, and on one
// server. FUZZ_SEED repeats a failure, FUZZ_PROGRAMS makes a longer run.
import assert from "node:assert/strict";
import type { Adapter } from "socket.io-adapter";
import { owning } from "../../../../test/support/waiting/closing.ts";
import { cluster as officialAdapter } from "../../../../test/support/cluster/adapter.ts";
import { Random } from "../../../../test/fuzz/random.ts";
import { carriers, TestNode, TestNodes } from "./nodes.ts";
import type { Carrier } from "./nodes.ts";
import { logsOf, NODES, oneByOne, randomProgram } from "./programs.ts";
import type { Log, Program } from "./programs.ts";

const { FUZZ_SEED, FUZZ_PROGRAMS } = process.env;
const count = Number(FUZZ_PROGRAMS ?? 200);
const first = Number(FUZZ_SEED ?? (FUZZ_PROGRAMS === undefined ? 1 : Date.now() % 2 ** 31));

async function onNodes(program: Program, carrier: Carrier): Promise<Log[]> {
  await using cluster = await TestNodes.start(NODES, {}, carrier);
  const logs = await logsOf(program, cluster.nodes);
  assert.deepEqual(cluster.gaps, []);
  return logs;
}

async function onOfficialAdapters(program: Program): Promise<Log[]> {
  const adapter = officialAdapter() as unknown as typeof Adapter;
  const nodes = Array.from({ length: NODES }, () => new TestNode({ adapter }));
  await using running = owning({ nodes }, ...nodes);
  return await logsOf(program, running.nodes);
}

async function onOneNode(program: Program): Promise<Log[]> {
  await using node = new TestNode({});
  return await logsOf(program, [node]);
}

describe("broadcasts between nodes: fuzzing", () => {
  it(`are those of one server, in ${count} random programs from ${first} on`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      const program = randomProgram(new Random(seed));
      const expected = await onOneNode(program);
      for (const carrier of carriers) {
        const logs = await onNodes(program, carrier);
        assert.deepEqual(logs, expected, `FUZZ_SEED=${seed} over ${carrier}: ${JSON.stringify(program)}`);
      }
    }
  });

  it(`are those of the official adapter, in ${count} random programs from ${first} on, one step after the other`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      // The official adapter publishes first, and does here what it has published a little later.
      const program = oneByOne(randomProgram(new Random(seed)));
      const expected = await onOfficialAdapters(program);
      for (const carrier of carriers) {
        const logs = await onNodes(program, carrier);
        assert.deepEqual(logs, expected, `FUZZ_SEED=${seed} over ${carrier}: ${JSON.stringify(program)}`);
      }
    }
  });
});
