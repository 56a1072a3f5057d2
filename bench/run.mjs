// The bench: `npm run bench`, or `node bench/run.mjs --help`. See docs/performance.md.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { buildIfNeeded } from "./harness/build.mjs";
import { findVariants, findWorkloads, pick } from "./harness/catalogue.mjs";
import { placeGenerator } from "./harness/cores.mjs";
import { describeMachine, versions } from "./report/machine.mjs";
import { providePeer } from "./harness/peers.mjs";
import { publish } from "./report/publish.mjs";
import { outcomes, summarise, tables } from "./report/report.mjs";
import { NotAvailable, startServer } from "./harness/server-handle.mjs";

const HELP = `node bench/run.mjs [workload ...] [options]

Measures server CPU per operation and memory per connection. Names pick workloads ("echo" means echo-1 and
echo-16); without one, all of them run but scale and slow-readers.

  --variants a,b     only these servers, floor-net only by this; it is an error if one of them cannot start
  --rounds N         how often each workload meets each server (3; 5 with --full; 1 with --smoke, and
                     for scale and slow-readers alone)
  --full             longer measurements
  --smoke            a few messages each: shows that the bench works, and measures nothing
  --limit SECONDS    start no round that would not end by then (460; none with --full)
  --json FILE        also write every figure to FILE
  --write            also write tables and chart into README.md and docs/
  --from FILE        measure nothing, and write those of a run that --json has kept
  --cores S,G        cores of the server and of the load generator
  --cpu-prof DIR     write a V8 CPU profile of each server process to DIR
  --no-build         measure dist/ as it is
  --list             print the names of workloads and servers
`;

const ROUNDS = { smoke: 1, quick: 3, full: 5 };
const LIMIT = { smoke: Infinity, quick: 460, full: Infinity };

const log = (/** @type {string} */ text) => void process.stderr.write(`${text}\n`);
const print = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`);

for (const [signal, code] of /** @type {const} */ ([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
])) {
  process.on(signal, () => process.exit(code));
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      variants: { type: "string", default: "" },
      rounds: { type: "string" },
      limit: { type: "string" },
      json: { type: "string" },
      write: { type: "boolean", default: false },
      from: { type: "string" },
      cores: { type: "string" },
      "cpu-prof": { type: "string" },
      full: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      "no-build": { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.full && values.smoke) throw new Error("--full and --smoke exclude each other");
  /** @type {import("./types.d.ts").Mode} */
  const mode = values.smoke ? "smoke" : values.full ? "full" : "quick";
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1)) {
    throw new Error("--rounds takes a whole number from 1");
  }
  const limit = Number(values.limit ?? LIMIT[mode]);
  if (!(limit > 0)) throw new Error("--limit takes a number of seconds");
  const named = values.variants.split(",").filter((name) => name !== "");
  return { ...values, mode, rounds, limit, named, workloads: positionals };
}

/**
 * Runs one workload against a fresh server process.
 *
 * @param {import("./types.d.ts").Workload} workload
 * @param {{ variant: import("./types.d.ts").Variant, url: string }} target
 * @param {{ mode: import("./types.d.ts").Mode, core: number | undefined, profileDir: string | undefined, note: (text: string) => void }} options
 */
async function measure(workload, { variant, url }, { mode, core, profileDir, note }) {
  const server = await startServer(variant, url, { core, profileDir, workload });
  try {
    return await workload.run({ server, variant, size: workload.sizes[mode], note });
  } catch (error) {
    const reason = await server.obituary();
    throw reason === undefined ? error : new Error(reason, { cause: error });
  } finally {
    await server.stop();
  }
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

async function main() {
  const options = readArguments();
  const allWorkloads = await findWorkloads();
  const found = await findVariants();
  const allVariants = found.map(({ variant }) => variant);
  if (options.help) {
    print(HELP);
    return;
  }
  if (options.list) {
    print(`workloads: ${allWorkloads.map((workload) => workload.name).join(", ")}`);
    print(`variants:  ${allVariants.map(({ name }) => name).join(", ")}`);
    return;
  }
  if (options.from !== undefined) {
    const kept = JSON.parse(await readFile(options.from, "utf8"));
    log(`written: ${publish(kept, allWorkloads, allVariants).join(", ")}`);
    return;
  }
  const workloads = pick(allWorkloads, options.workloads, (workload) => workload.name).filter(
    ({ named }) => !named || options.workloads.length > 0,
  );
  // Those that run by name alone take minutes each.
  const rounds = options.rounds ?? (workloads.every(({ named }) => named) ? 1 : ROUNDS[options.mode]);
  const targets = pick(found, options.named, ({ variant }) => variant.name).filter(
    ({ variant }) => !variant.named || options.named.length > 0,
  );
  const variants = targets.map(({ variant }) => variant);
  if (!options["no-build"] && variants.some((variant) => variant.built)) buildIfNeeded(log);

  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1000;
  const cores = placeGenerator(options.cores);
  const machine = describeMachine(cores.note);
  log(machine);

  /** @type {import("./types.d.ts").Cell[]} */
  const cells = [];
  let failed = false;
  /** Why a server could not start; it is not tried again. @type {Map<string, string>} */
  const unavailable = new Map();
  for (const { name, peer } of variants) {
    const reason = peer === undefined ? undefined : providePeer(peer, log);
    if (reason === undefined) continue;
    unavailable.set(name, `not available: ${reason}`);
    log(`${name}: not available: ${reason}`);
    if (options.named.length > 0) failed = true;
  }
  let done = 0;
  for (let round = 1; round <= rounds; round++) {
    if (round > 1 && (seconds() * round) / (round - 1) > options.limit) {
      log(`no time for round ${round} within ${options.limit} s`);
      break;
    }
    for (const workload of workloads) {
      for (const target of targets) {
        const { name, floor } = target.variant;
        if (workload.api && floor) continue;
        /** @type {string[]} */
        const notes = [];
        const cell = { round, workload: workload.name, variant: name, notes };
        const missing = unavailable.get(name);
        if (missing !== undefined) {
          cells.push({ ...cell, error: missing });
          continue;
        }
        try {
          const figures = await measure(workload, target, {
            mode: options.mode,
            core: cores.server,
            profileDir: options["cpu-prof"],
            note(text) {
              notes.push(text);
              log(`${workload.name} on ${name}: ${text}`);
            },
          });
          cells.push({ ...cell, figures });
        } catch (error) {
          const absent = error instanceof NotAvailable;
          const text = `${absent ? "not available" : "failed"}: ${messageOf(error)}`;
          log(`${workload.name} on ${name}: ${text}`);
          cells.push({ ...cell, error: text });
          if (absent) unavailable.set(name, text);
          if (!absent || options.named.length > 0) failed = true;
        }
      }
      log(`round ${round}: ${workload.name} done after ${seconds().toFixed(0)} s`);
    }
    done = round;
  }

  const rows = summarise(workloads, variants, cells);
  const run = `${options.mode} run, ${done} of ${rounds} rounds in ${seconds().toFixed(0)} s`;
  const findings =
    options.mode === "smoke" ? outcomes(workloads, cells) : tables(options.mode, workloads, variants, rows);
  print(`\n${findings}\n\n${run}; ${machine}`);
  const measured = {
    date: new Date(started).toISOString(),
    mode: options.mode,
    rounds: done,
    machine,
    versions: versions(),
    rows,
    cells,
  };
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(measured, null, 2)}\n`);
  if (options.write) log(`written: ${publish(measured, allWorkloads, allVariants).join(", ")}`);
  if (failed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}
