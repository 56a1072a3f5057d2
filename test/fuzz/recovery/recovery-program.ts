// The program of recovery-sequences.test.ts: has the timers and clocks of a whole process for itself.
import "./virtual-time.ts";
import { runRecoverySequence } from "./recovery-sequence.ts";

const [first, count] = process.argv.slice(2).map(Number) as [number, number];
for (let seed = first; seed < first + count; seed++) await runRecoverySequence(seed);
process.stdout.write("passed\n", () => process.exit());
