// Micro-benchmarks of single parts: `npm run bench:micro`, or `npm run bench:micro -- codec outbox`. They say what a change
// did to one function, never how fast a server is: that is what `npm run bench` is for.
import { run } from "mitata";
import { build } from "../harness/build.mjs";

const PARTS = ["codec", "fan-out", "timer-wheel", "outbox"];

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!PARTS.includes(name)) throw new Error(`there is no "${name}"; there are: ${PARTS.join(", ")}`);
}
build((text) => void process.stderr.write(`${text}\n`));
for (const name of PARTS) {
  if (wanted.length === 0 || wanted.includes(name)) await import(`./${name}.mjs`);
}
await run({ colors: process.stdout.isTTY });
// Servers that were measured hold timers.
process.exit();
