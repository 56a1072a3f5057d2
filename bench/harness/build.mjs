import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Builds the packages of this repository, which are measured as they are published; turbo leaves out those that are built.
 * Whatever fails here shows again, with its reason, when the variant starts.
 */
export function build(log) {
  const { status, error } = spawnSync("npx", ["turbo", "run", "build", "--output-logs=errors-only"], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error || status !== 0) log(`the build failed${error ? `: ${error.message}` : ""}`);
}
