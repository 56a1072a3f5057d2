// Random lives of a cluster whose clients are recovered, in a process that has its own time; see recovery-sequence.ts. A failure prints
// its seed and its steps. FUZZ_SEED repeats one, FUZZ_SEQUENCES makes a longer run.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const { FUZZ_SEED, FUZZ_SEQUENCES } = process.env;
const count = Number(FUZZ_SEQUENCES ?? 60);
/** They have found faults that few others find. */
const TELLING = FUZZ_SEED === undefined ? [137, 244] : [];
const first = Number(FUZZ_SEED ?? (FUZZ_SEQUENCES === undefined ? 1 : Date.now() % 2 ** 31));
const program = fileURLToPath(new URL("recovery-program.ts", import.meta.url));

describe("recovery in a cluster: fuzzing", () => {
  it(`behaves as specified in ${count} random sequences from seed ${first}`, async function () {
    this.timeout(0);
    const seeds = [...TELLING, ...Array.from({ length: count }, (_, index) => first + index)];
    const args = [...process.execArgv, program, ...seeds.map(String)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.equal(stdout.trim(), "passed");
  });
});
