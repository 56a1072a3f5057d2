// Micro-benchmarks: `npm run bench:micro`, or `npm run bench:micro -- codec outbox`. They show the effect of a change on a function;
// `npm run bench` measures servers.
import { run } from "mitata";
import { build } from "../harness/build.mjs";

const PARTS = ["codec", "contract", "fan-out", "timer-wheel", "outbox"];

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!PARTS.includes(name)) throw new Error(`there is no "${name}"; there are: ${PARTS.join(", ")}`);
}
build((text) => void process.stderr.write(`${text}\n`));
for (const name of PARTS) {
  if (wanted.length === 0 || wanted.includes(name)) await import(`./${name}.mjs`);
}
await run({ colors: process.stdout.isTTY });
// The measured servers hold timers.
process.exit();
