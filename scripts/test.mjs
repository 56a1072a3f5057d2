// `npm test`: sets up what the tests need, then runs all of them. Arguments go to mocha: test files, --grep, --reporter.
import { spawnSync } from "node:child_process";

const given = process.argv.slice(2);
run("node", ["scripts/setup.mjs"]);
run("turbo", ["run", "build", "--output-logs=errors-only"]);
const files = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"];
const chosen = given.some((argument) => !argument.startsWith("-")) ? [] : files;
run("mocha", ["--reporter", "./scripts/reporter.cjs", ...chosen, ...given]);

/** Runs a tool of this workspace; npm has put them on the path. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
