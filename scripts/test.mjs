// `npm test`: sets up what the tests need, then runs all of them, and the quick form of the compatibility suite.
// `--also-on 24` also runs what depends on Node on another version of it, which scripts/tools has; `--on 24` runs on it all suites of
// the engine and the server, or the files that are given. `--bench` also runs the short form of the bench.
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
/** What has a run of its own, as it mostly waits: for processes that start, proxies that time out, missed heartbeats, browsers. */
const clusters = ["packages/{cluster,cluster-*}/test/**/*.test.ts", "test/{cluster,proxies}/**/*.test.ts"];
const commands = ["packages/cli/test/**/*.test.ts", "test/cli/**/*.test.ts"];
const pages = ["test/{browser,site}/**/*.test.ts"];
/** What uses the packages as others do. */
const uses = ["test/{examples,guides,packaging}/**/*.test.ts"];
/** What runs on other versions of Node: what may depend on Node, and depends neither on a browser nor on a build. */
const suites = ["packages/{parser,engine,server}/test/**/*.test.ts", "test/{engine,server}/**/*.test.ts"];

/** The oldest and the newest client over both transports; the other rows are left to `npm run compat -- --workers HAProxy`. */
const WORKERS = ["--workers", "HAProxy", "--grep", "socket.io-client (2\\.5\\.0|4\\.8\\.4) · uws · upgrade"];

/** How many parts run at a time: on two cores, as many as keep them busy while some wait. */
const AT_ONCE = 4;

/** How long a part that says nothing by itself may run before it is said that it does, in ms. */
const SILENCE = 15_000;

const given = process.argv.slice(2);
const alsoOn = take("--also-on");
const on = take("--on");
const isBenched = takeFlag("--bench");
if ((await run("node", ["scripts/setup.mjs"])) !== 0) process.exit(1);
const node = on === undefined ? process.execPath : nodeOf(on);
if ((await run("turbo", ["run", "build", "--output-logs=errors-only"])) !== 0) process.exit(1);
process.env.PACKAGES_BUILT = "yes";
process.exitCode = given.length > 0 || on !== undefined ? await runGiven() : await runEverything();

/** Takes an option and its value out of the arguments. */
function take(option) {
  const at = given.indexOf(option);
  return at === -1 ? undefined : given.splice(at, 2)[1];
}

/** Takes an option without a value out of the arguments, and says whether it was there. */
function takeFlag(option) {
  const at = given.indexOf(option);
  if (at !== -1) given.splice(at, 1);
  return at !== -1;
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
  const waiting = parts();
  const done = [];
  const work = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) done.push(await part());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const { title, output } of done) if (output !== undefined) console.log(`\n${title}:\n${output}`);
  for (const failure of done.flatMap(({ failures = [] }) => failures)) console.log(`FAILED ${failure}\n`);
  const sum = (name) => done.reduce((total, counts) => total + counts[name], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") > 0 ? 1 : 0;
}

/** All parts, the longest first. The first one says what it does while it does it. */
function parts() {
  const apart = [...clusters, ...commands, ...pages, ...uses].flatMap((pattern) => ["--ignore", pattern]);
  const tests = (title, patterns) => () => kept(title, node, [mocha, ...reporter, ...patterns]);
  const compat = (title, ...args) => {
    const own = ["compat/run.mjs", "--quick", "--no-setup", "--jobs", "1", ...args];
    return () => kept(`Compatibility: ${title}`, "node", own);
  };
  return [
    () => counted(node, [mocha, ...reporter, ...files, ...apart]),
    tests("Clusters and proxies", clusters),
    tests("The command line", commands),
    tests("Packages, guides and examples", uses),
    compat("published packages", "packages"),
    compat("clients", "clients"),
    tests("Pages in Chromium", pages),
    ...(alsoOn === undefined ? [] : [onAnotherNode]),
    compat("the official server", "differential"),
    compat("browsers and other languages", "browser", "python"),
    ...(findProxy("HAProxy") === undefined ? [] : [compat("clients before workers", ...WORKERS, "clients")]),
    ...(isBenched ? [runBench] : []),
    compat("the page", "--check"),
  ];
}

/** What depends on Node is the host on node:http; what the hosts share is tested on the Node of this run. */
function onAnotherNode() {
  // A test that is left out half-way, for want of uWebSockets.js, may leave a server open.
  const args = [mocha, "--exit", ...reporter, ...suites];
  return kept(`On Node ${alsoOn}`, nodeOf(alsoOn), args, { HOSTS: "node" });
}

function runBench() {
  const args = ["bench/run.mjs", "--smoke", "--no-build", "--variants", "tidewire,official,floor"];
  return kept("The bench, in short", "node", args);
}

/** Runs a part of the tests, and keeps what it says. */
async function kept(title, command, args, env = {}) {
  const output = [];
  const counts = await counted(command, args, { title, keep: (text) => output.push(text), env });
  return { ...counts, title, output: output.join("") };
}

/**
 * Runs a part of the tests that writes its counts to a file. A part that dies before it has counted counts as a failure.
 *
 * @param options - `title`: what it is; `keep`: takes what it says, which is printed otherwise; `env`: more variables
 */
async function counted(command, args, { title, keep, env } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  const file = join(folder, "counts.json");
  try {
    const status = await run(command, args, { title, keep, env: { ...env, COUNTS_FILE: file } });
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
async function run(command, args, { title, keep, env } = {}) {
  const first = existsSync(command) ? [dirname(command)] : [];
  const path = [...first, process.env.PATH].join(delimiter);
  const started = Date.now();
  const stdio = keep === undefined ? "inherit" : ["ignore", "pipe", "pipe"];
  const child = spawn(command, args, { stdio, env: { ...process.env, PATH: path, ...env } });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", keep);
  const name = title ?? [command, ...args].slice(0, 2).join(" ");
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
