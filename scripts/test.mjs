// `npm test`: sets up what the tests need, then runs all of them, and the quick form of the compatibility suite.
// Arguments go to mocha: test files, --grep, --reporter; then mocha is all that runs.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const reporter = ["--reporter", "./scripts/reporter.cjs"];
const files = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "compat/{report,runner}/**/*.test.ts"];

const given = process.argv.slice(2);
if (run("node", ["scripts/setup.mjs"]) !== 0) process.exit(1);
if (run("turbo", ["run", "build", "--output-logs=errors-only"]) !== 0) process.exit(1);
process.exitCode = given.length > 0 ? runGiven() : runEverything();

function runGiven() {
  const chosen = given.some((argument) => !argument.startsWith("-")) ? [] : files;
  return run("mocha", [...reporter, ...chosen, ...given]);
}

/** One line at the end counts everything; a part that died before it had counts is counted as a failure. */
function runEverything() {
  const parts = [
    counted("mocha", [...reporter, ...files]),
    counted("node", ["compat/run.mjs", "--quick", "--no-setup"]),
  ];
  const sum = (name) => parts.reduce((total, counts) => total + counts[name], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") > 0 ? 1 : 0;
}

/** Runs a part of the tests that writes its counts to a file. */
function counted(command, args) {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  const file = join(folder, "counts.json");
  try {
    const status = run(command, args, { COUNTS_FILE: file });
    const counts = existsSync(file)
      ? JSON.parse(readFileSync(file, "utf8"))
      : { passed: 0, failed: 0, skipped: 0 };
    if (status !== 0 && counts.failed === 0) {
      console.error(`${command} ${args.join(" ")} ended with exit code ${status}`);
      counts.failed = 1;
    }
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a tool of this workspace; npm has put them on the path. Returns its exit code. */
function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  return status ?? 1;
}
