// The bench: `npm run bench`, or `node bench/run.mjs --help`. See docs/performance.md.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { build } from "./harness/build.mjs";
import { placeGenerator } from "./harness/cores.mjs";
import { describeMachine, versions } from "./report/machine.mjs";
import { providePeer } from "./harness/peers.mjs";
import { variants as allVariants } from "./servers/index.mjs";
import { workloads as allWorkloads } from "./workloads/index.mjs";
import { publish } from "./report/publish.mjs";
import { outcomes, summarise, tables } from "./report/report.mjs";
import { NotAvailable, startServer } from "./harness/server-handle.mjs";

const HELP = `node bench/run.mjs [workload ...] [options]

Measures server CPU per operation and memory per connection. Names select workloads; "echo" selects echo-1 and
echo-16. Without names, all workloads run except scale, slow-readers, inspector and cluster, which measures
pairs of processes: --variants pair.

  --variants a,b     only these servers; fails if one of them cannot start. floor-net runs only if it is named here
  --rounds N         how often each workload runs with each server (3; 5 with --full; 1 with --smoke, and
                     for scale, slow-readers, inspector and cluster alone)
  --full             longer measurements
  --smoke            only a few messages: shows that the bench works, and measures nothing
  --limit SECONDS    do not start a round that would end later (460; none with --full)
  --json FILE        also write every figure to FILE
  --write            also write the tables and the chart into README.md and docs/
  --from FILE        measure nothing, and write those of a run that --json saved, judged by the budgets of today
  --cores S,G        cores of the server and the load generator
  --cpu-prof DIR     write a V8 CPU profile of each server process to DIR
  --no-build         measure dist/ as it is
  --list             print the names of the workloads and servers
`;

const ROUNDS = { smoke: 1, quick: 3, full: 5 };
const LIMIT = { smoke: Infinity, quick: 460, full: Infinity };

const log = (text) => void process.stderr.write(`${text}\n`);
const print = (text) => void process.stdout.write(`${text}\n`);

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
      variants: { type: "string" },
      rounds: { type: "string" },
      limit: { type: "string" },
      json: { type: "string" },
      write: { type: "boolean" },
      from: { type: "string" },
      cores: { type: "string" },
      "cpu-prof": { type: "string" },
      full: { type: "boolean" },
      smoke: { type: "boolean" },
      "no-build": { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.full && values.smoke) throw new Error("--full and --smoke exclude each other");
  /** @type {Mode} */
  const mode = values.smoke ? "smoke" : values.full ? "full" : "quick";
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1)) {
    throw new Error("--rounds takes a whole number from 1");
  }
  const limit = Number(values.limit ?? LIMIT[mode]);
  if (!(limit > 0)) throw new Error("--limit takes a number of seconds");
  const named = values.variants?.split(",").filter((name) => name !== "") ?? [];
  return { ...values, mode, rounds, limit, named, names: positionals };
}

/**
 * Picks items by name; "echo" also picks echo-1 and echo-16. Without names, picks all items that need not be named.
 *
 * @throws {Error} if a name fits nothing
 */
function pick(all, names) {
  if (names.length === 0) return all.filter(({ named }) => !named);
  const fits = (item, name) => item.name === name || item.name.startsWith(`${name}-`);
  for (const name of names) {
    if (all.some((item) => fits(item, name))) continue;
    throw new Error(`there is no "${name}"; there are: ${all.map((item) => item.name).join(", ")}`);
  }
  return all.filter((item) => names.some((name) => fits(item, name)));
}

/** Whether a server can run a workload, and differs in it from the others. */
const suits = (workload, { built, floor, fanOut, pair }) =>
  !(workload.api && floor) &&
  (built || !workload.built) &&
  (workload.fanOut || !fanOut) &&
  (workload.pair === undefined ? pair === undefined : pair?.includes(workload.pair));

/** Runs one workload against a fresh server process. */
async function measure(workload, variant, { size, note, core, profileDir }) {
  const server = await startServer(variant, { core, profileDir, workload });
  try {
    return await workload.run({ server, variant, size, note });
  } catch (error) {
    const reason = await server.obituary();
    throw reason === undefined ? error : new Error(reason, { cause: error });
  } finally {
    await server.stop();
  }
}

const messageOf = (error) => (error instanceof Error ? error.message : String(error));

async function main() {
  const options = readArguments();
  const { mode, named } = options;
  if (options.help) return print(HELP);
  if (options.list) {
    const namesOf = (items) => items.map(({ name }) => name).join(", ");
    return print(`workloads: ${namesOf(allWorkloads)}\nvariants:  ${namesOf(allVariants)}`);
  }
  const publishAndTell = (run) => log(`written: ${publish(run, allWorkloads, allVariants).join(", ")}`);
  if (options.from !== undefined) return publishAndTell(JSON.parse(await readFile(options.from, "utf8")));

  const workloads = pick(allWorkloads, options.names);
  // Workloads that must be named take minutes each.
  const rounds = options.rounds ?? (workloads.every((workload) => workload.named) ? 1 : ROUNDS[mode]);
  const variants = pick(allVariants, named);
  if (!options["no-build"] && variants.some(({ built }) => built)) build(log);

  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1000;
  const cores = placeGenerator(options.cores);
  const machine = describeMachine(cores.note);
  log(machine);

  /** @type {Cell[]} */
  const cells = [];
  let failed = false;
  /** Why servers could not start; they are not tried again. */
  const unavailable = new Map();
  const giveUp = (name, reason) => {
    unavailable.set(name, `not available: ${reason}`);
    failed ||= named.length > 0;
  };
  for (const { name, peer } of variants) {
    const reason = peer && providePeer(peer, log);
    if (reason === undefined) continue;
    giveUp(name, reason);
    log(`${name}: not available: ${reason}`);
  }

  async function measureInto(cell, workload, variant) {
    const about = `${workload.name} on ${variant.name}`;
    try {
      cell.figures = await measure(workload, variant, {
        size: workload.sizes[mode],
        core: cores.server,
        profileDir: options["cpu-prof"],
        note(text) {
          cell.notes.push(text);
          log(`${about}: ${text}`);
        },
      });
    } catch (error) {
      const reason = messageOf(error);
      const isAbsent = error instanceof NotAvailable;
      cell.error = `${isAbsent ? "not available" : "failed"}: ${reason}`;
      log(`${about}: ${cell.error}`);
      if (isAbsent) giveUp(variant.name, reason);
      else failed = true;
    }
  }

  let done = 0;
  for (let round = 1; round <= rounds; round++) {
    if (round > 1 && (seconds() * round) / (round - 1) > options.limit) {
      log(`no time for round ${round} within ${options.limit} s`);
      break;
    }
    for (const workload of workloads) {
      for (const variant of variants.filter((each) => suits(workload, each))) {
        const error = unavailable.get(variant.name);
        const cell = { round, workload: workload.name, variant: variant.name, notes: [], error };
        cells.push(cell);
        if (error === undefined) await measureInto(cell, workload, variant);
      }
      log(`round ${round}: ${workload.name} done after ${seconds().toFixed(0)} s`);
    }
    done = round;
  }

  const rows = summarise(workloads, variants, cells);
  const run = `${mode} run, ${done} of ${rounds} rounds in ${seconds().toFixed(0)} s`;
  const findings = mode === "smoke" ? outcomes(workloads, cells) : tables(mode, workloads, variants, rows);
  print(`\n${findings}\n\n${run}; ${machine}`);
  const measured = {
    date: new Date(started).toISOString(),
    mode,
    rounds: done,
    machine,
    versions: versions(),
    rows,
    cells,
  };
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(measured, null, 2)}\n`);
  if (options.write) publishAndTell(measured);
  if (failed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}
