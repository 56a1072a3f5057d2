// Micro-benchmarks: `npm run bench:micro`, or `npm run bench:micro -- codec outbox`. They show the effect of a change on a function;
// `npm run bench` measures servers. With --write, the pages that say how long a function takes get the new figures.
import { parseArgs } from "node:util";
import { run } from "mitata";
import { build } from "../harness/build.mjs";
import { writeSentences } from "./sentences.mjs";

const PARTS = ["codec", "contract", "fan-out", "timer-wheel", "outbox"];

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { write: { type: "boolean" } },
});
for (const name of wanted) {
  if (!PARTS.includes(name)) throw new Error(`there is no "${name}"; there are: ${PARTS.join(", ")}`);
}
const log = (text) => void process.stderr.write(`${text}\n`);
build(log);
const parts = PARTS.filter((name) => wanted.length === 0 || wanted.includes(name));
for (const name of parts) await import(`./${name}.mjs`);
const { benchmarks } = await run({ colors: process.stdout.isTTY });
if (values.write) log(`written: ${writeSentences(parts, benchmarks).join(", ")}`);
// The measured servers hold timers.
process.exit();
