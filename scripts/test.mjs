// `npm test`: sets up what the tests need, then runs all of them, and the quick form of the compatibility suite.
// `--also-on 24` also runs the suites of the engine and the server on another version of Node, which scripts/tools has;
// `--on 24` runs on it those alone, or the files that are given.
// Other arguments go to mocha: test files, --grep, --reporter; then mocha is all that runs.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProxy } from "./setup.mjs";
import { findNode } from "./tools.mjs";

const mocha = fileURLToPath(import.meta.resolve("mocha/bin/mocha.js"));
const reporter = ["--reporter", "./scripts/reporter.cjs"];
const files = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "compat/{report,runner}/**/*.test.ts"];
/** What mostly waits, for processes that start, proxies that time out and missed heartbeats. */
const processes = [
  "packages/{cli,cluster,cluster-*}/test/**/*.test.ts",
  "test/{cli,cluster,proxies}/**/*.test.ts",
];
/** What uses the packages as others do. */
const uses = ["test/{examples,guides,packaging}/**/*.test.ts"];
/** What runs on other versions of Node: what depends on Node, and neither on a browser nor on a build. */
const suites = ["packages/{parser,engine,server}/test/**/*.test.ts", "test/{engine,server}/**/*.test.ts"];

/** How long a part that says nothing by itself may run before it is said that it does, in ms. */
const SILENCE = 15_000;

const given = process.argv.slice(2);
const alsoOn = take("--also-on");
const on = take("--on");
if ((await run("node", ["scripts/setup.mjs"])) !== 0) process.exit(1);
const node = on === undefined ? process.execPath : nodeOf(on);
if ((await run("turbo", ["run", "build", "--output-logs=errors-only"])) !== 0) process.exit(1);
process.exitCode = given.length > 0 || on !== undefined ? await runGiven() : await runEverything();

/** Takes an option and its value out of the arguments. */
function take(option) {
  const at = given.indexOf(option);
  return at === -1 ? undefined : given.splice(at, 2)[1];
}

/** The path of another version of Node; ends the run if there is none. */
function nodeOf(major) {
  const path = findNode(major);
  if (path !== undefined) return path;
  console.error(`Node ${major} is not in scripts/tools, or not for ${process.platform}-${process.arch}`);
  process.exit(1);
}

function runGiven() {
  const all = on === undefined ? files : suites;
  const chosen = given.some((argument) => !argument.startsWith("-")) ? [] : all;
  return run(node, [mocha, ...reporter, ...chosen, ...given]);
}

/** What failed stands at the end, in front of the line that counts everything. */
async function runEverything() {
  // Tests mostly wait for sockets: three runs at once take little longer than one.
  const lanes = [runMain(), runProcesses(), runUses()];
  const parts = (await Promise.all(lanes)).flat();
  for (const { title, output } of parts) if (output !== undefined) console.log(`\n${title}:\n${output}`);
  for (const failure of parts.flatMap(({ failures = [] }) => failures)) console.log(`FAILED ${failure}\n`);
  const sum = (name) => parts.reduce((total, counts) => total + counts[name], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") > 0 ? 1 : 0;
}

/** Runs the tests of one process, and says what they do. */
async function runMain() {
  const ignored = [...processes, ...uses].flatMap((pattern) => ["--ignore", pattern]);
  return [await counted(node, [mocha, ...reporter, ...files, ...ignored])];
}

/** Runs the tests that wait; then the suites that run on another version of Node. */
async function runProcesses() {
  const parts = [await kept("Processes and proxies", node, [mocha, ...reporter, ...processes])];
  if (alsoOn === undefined) return parts;
  // A test that is left out half-way, for want of uWebSockets.js, may leave a server open.
  const args = [mocha, "--exit", ...reporter, ...suites];
  return [...parts, await kept(`On Node ${alsoOn}`, nodeOf(alsoOn), args)];
}

/** Runs the quick form of the compatibility suite, then some of its clients before workers, and what uses the packages. */
async function runUses() {
  const quick = ["compat/run.mjs", "--quick", "--no-setup"];
  const parts = [await kept("Published clients, adapters and frameworks", "node", quick)];
  if (findProxy("HAProxy") !== undefined) {
    // The oldest and the newest client over both transports; the other rows are left to `npm run compat -- --workers HAProxy`.
    const rows = "socket.io-client (2\\.5\\.0|4\\.8\\.4) · uws · upgrade";
    const workers = ["--workers", "HAProxy", "--grep", rows, "clients"];
    parts.push(await kept("Published clients before workers", "node", [...quick, ...workers]));
  }
  return [...parts, await kept("Packages, guides and examples", node, [mocha, ...reporter, ...uses])];
}

/** Runs a part of the tests, and keeps what it says. */
async function kept(title, command, args) {
  const output = [];
  const counts = await counted(command, args, (text) => output.push(text));
  return { ...counts, title, output: output.join("") };
}

/**
 * Runs a part of the tests that writes its counts to a file. A part that dies before it has counted counts as a failure.
 *
 * @param keep - takes what it says; without it, that is printed
 */
async function counted(command, args, keep) {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  const file = join(folder, "counts.json");
  try {
    const status = await run(command, args, { COUNTS_FILE: file }, keep);
    const counts = existsSync(file)
      ? JSON.parse(readFileSync(file, "utf8"))
      : { passed: 0, failed: 0, skipped: 0 };
    if (status !== 0 && counts.failed === 0) {
      counts.failed = 1;
      counts.failures = [`${command} ${args.join(" ")}: ended with exit code ${status}`];
    }
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a tool of this workspace, which npm has put on the path, or a Node given by its path, which its own children then find
 * first. Returns its exit code.
 */
async function run(command, args, env = {}, keep) {
  const first = existsSync(command) ? [dirname(command)] : [];
  const path = [...first, process.env.PATH].join(delimiter);
  const started = Date.now();
  const stdio = keep === undefined ? "inherit" : ["ignore", "pipe", "pipe"];
  const child = spawn(command, args, { stdio, env: { ...process.env, PATH: path, ...env } });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", keep);
  const name = [command, ...args].slice(0, 2).join(" ");
  // Mocha says by itself which test it is at.
  const saying =
    args.includes(mocha) && keep === undefined
      ? undefined
      : setInterval(
          () => console.log(`… ${name}, for ${Math.round((Date.now() - started) / 1000)} s`),
          SILENCE,
        );
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once(keep === undefined ? "exit" : "close", (status) => resolve(status ?? 1));
    });
  } finally {
    clearInterval(saying);
  }
}
