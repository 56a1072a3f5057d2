// Runs random scenarios against the official server and ours. DIFFERENTIAL_SCENARIOS sets their number, and starts with a new
// seed each time; DIFFERENTIAL_SEED repeats a seed; DIFFERENTIAL_SCRIPT plays a script that a failure printed.
import { cell, isFull } from "../../support/cell.ts";
import { compare, printed, type Hunk } from "../compare.ts";
import { readDifferences } from "../page.ts";
import { ourHosts, type OurHost } from "../targets.ts";
import { play } from "./player.ts";
import { scriptOf, type Script } from "./script.ts";

const { DIFFERENTIAL_SCENARIOS, DIFFERENTIAL_SEED, DIFFERENTIAL_SCRIPT } = process.env;
const count = Number(DIFFERENTIAL_SCENARIOS ?? (DIFFERENTIAL_SEED ? 1 : isFull ? 200 : 40));
const first = Number(DIFFERENTIAL_SEED ?? (DIFFERENTIAL_SCENARIOS ? Date.now() % 2 ** 31 : 1));
const rows = readDifferences().sections.flatMap((section) => section.rows);
/** How many scenarios run at a time. */
const TOGETHER = 8;

const scripts: Script[] = DIFFERENTIAL_SCRIPT
  ? [JSON.parse(DIFFERENTIAL_SCRIPT) as Script]
  : Array.from({ length: count }, (_, index) => scriptOf(first + index));

for (const host of ourHosts) {
  cell({ group: "Official server", part: "socket.io", version: "4.8.4", host, transport: "any" }, () => {
    it(`matches the official server in ${scripts.length} random scenarios from seed ${scripts[0]?.seed}`, async function () {
      this.timeout(0);
      const waiting = [...scripts];
      const work = async (): Promise<void> => {
        for (let script = waiting.shift(); script; script = waiting.shift()) await check(script, host);
      };
      await Promise.all(Array.from({ length: TOGETHER }, work));
    });
  });
}

async function check(script: Script, host: OurHost): Promise<void> {
  const hunks = await differencesOf(script, host);
  if (hunks.length === 0) return;
  const small = await shrunk(script, host);
  const lines = (await differencesOf(small, host)).map(printed);
  const repeat = `DIFFERENTIAL_SCRIPT='${JSON.stringify(small)}'`;
  throw new Error(
    `seed ${script.seed}\n${(lines.length > 0 ? lines : hunks.map(printed)).join("\n")}\n${repeat}`,
  );
}

async function differencesOf(script: Script, host: OurHost): Promise<Hunk[]> {
  const [official, here] = await Promise.all([play(script, "official"), play(script, host)]);
  return compare(official, here, { scenario: `random ${script.seed}`, host }, rows).unexplained;
}

/** The script without the steps that are not needed to show a difference. */
async function shrunk(script: Script, host: OurHost): Promise<Script> {
  let small = script;
  for (let at = script.steps.length - 1; at >= 0; at--) {
    const shorter = { ...small, steps: small.steps.toSpliced(at, 1) };
    const hunks = await differencesOf(shorter, host).catch(() => []);
    if (hunks.length > 0) small = shorter;
  }
  return small;
}
