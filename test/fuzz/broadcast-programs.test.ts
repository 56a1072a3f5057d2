// Random programs of broadcasts and of what may come between them, run on two adapters: ours, and the official one, which
// writes each broadcast to each socket by itself. FUZZ_SEED repeats a failure, FUZZ_PROGRAMS makes a longer run.
import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import { logsOf, randomProgram, slicedFramesOf, withoutTime } from "./broadcast-programs.ts";
import { Random } from "./random.ts";

const { FUZZ_SEED, FUZZ_PROGRAMS } = process.env;
const count = Number(FUZZ_PROGRAMS ?? 300);
const first = Number(FUZZ_SEED ?? (FUZZ_PROGRAMS === undefined ? 1 : Date.now() % 2 ** 31));

describe("broadcasts: fuzzing", () => {
  it(`give each client what separate emits would, in ${count} random programs from seed ${first}`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      const program = randomProgram(new Random(seed));
      const logs = await logsOf(program, undefined);
      assert.deepEqual(logs, await logsOf(program, Adapter), `FUZZ_SEED=${seed} ${JSON.stringify(program)}`);
    }
  });

  it(`do so, too, in passes of several turns, in ${count} random programs from seed ${first}`, async function () {
    this.timeout(0);
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const program = withoutTime(randomProgram(random));
      const slice = random.between(1, 4);
      const frames = await slicedFramesOf(program, undefined, slice);
      const wanted = await slicedFramesOf(program, Adapter, slice);
      assert.deepEqual(frames, wanted, `FUZZ_SEED=${seed} slice ${slice} ${JSON.stringify(program)}`);
    }
  });
});
