import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { collectGarbage } from "../support/process/garbage.ts";

const { FUZZ_SEED, FUZZ_SEQUENCES } = process.env;

/**
 * Declares the tests of random sequences. FUZZ_SEED repeats one, FUZZ_SEQUENCES makes a longer run, from a seed that differs each
 * time.
 *
 * @param usual - how many sequences an ordinary run has
 * @param run - runs the sequence of a seed, and tells `created` of what must be released afterwards
 */
export function fuzzSuite(
  usual: number,
  run: (seed: number, created?: (thing: object) => void) => Promise<unknown>,
): void {
  const count = Number(FUZZ_SEQUENCES ?? usual);
  const first = Number(FUZZ_SEED ?? (FUZZ_SEQUENCES === undefined ? 1 : Date.now() % 2 ** 31));

  it(`behaves as specified in ${count} random sequences from seed ${first}`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      await run(seed);
      // Promises and ticks alone would starve everything else.
      if (seed % 64 === 0) await turn();
    }
  });

  it("releases everything of 50 finished sequences", async function () {
    this.timeout(60_000);
    const refs: WeakRef<object>[] = [];
    for (let seed = first; seed < first + 50; seed++) {
      await run(seed, (thing) => refs.push(new WeakRef(thing)));
    }
    const alive = (): number => refs.filter((ref) => ref.deref() !== undefined).length;
    for (let round = 0; round < 20 && alive() > 0; round++) {
      await turn();
      collectGarbage();
    }
    assert.ok(refs.length > 100);
    assert.equal(alive(), 0);
  });
}
