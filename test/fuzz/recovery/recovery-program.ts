// The program of recovery-sequences.test.ts: has the timers and clocks of a whole process for itself.
import "./virtual-time.ts";
import { runRecoverySequence } from "./recovery-sequence.ts";

for (const seed of process.argv.slice(2)) await runRecoverySequence(Number(seed));
process.stdout.write("passed\n", () => process.exit());
