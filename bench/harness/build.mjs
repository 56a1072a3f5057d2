import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Builds the packages of this repository; turbo skips those that are built. If this fails, the server will report the reason when it
 * starts.
 */
export function build(log) {
  const { status, error } = spawnSync("npx", ["turbo", "run", "build", "--output-logs=errors-only"], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error || status !== 0) log(`the build failed${error ? `: ${error.message}` : ""}`);
}
