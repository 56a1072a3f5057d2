// Random lives of a cluster in memory; see cluster-sequence.ts. A failure prints its seed and its steps. FUZZ_SEED repeats it,
// FUZZ_SEQUENCES makes a longer run, from a seed that differs each time.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runClusterSequence } from "./cluster-sequence.ts";

const { FUZZ_SEED, FUZZ_SEQUENCES } = process.env;
const count = Number(FUZZ_SEQUENCES ?? 2000);
const first = Number(FUZZ_SEED ?? (FUZZ_SEQUENCES === undefined ? 1 : Date.now() % 2 ** 31));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describe("cluster: fuzzing", () => {
  it(`keeps its promises in ${count} random sequences from ${first} on`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      await runClusterSequence(seed);
      // Promises and ticks alone would starve everything else.
      if (seed % 64 === 0) await turn();
    }
  });

  it("reaches nothing of 50 sequences that have ended", async function () {
    this.timeout(60_000);
    const refs: WeakRef<object>[] = [];
    for (let seed = first; seed < first + 50; seed++) {
      await runClusterSequence(seed, (thing) => refs.push(new WeakRef(thing)));
    }
    const alive = (): number => refs.filter((ref) => ref.deref() !== undefined).length;
    for (let round = 0; round < 20 && alive() > 0; round++) {
      await turn();
      collect();
    }
    assert.ok(refs.length > 100);
    assert.equal(alive(), 0);
  });
});
