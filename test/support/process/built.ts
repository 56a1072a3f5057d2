import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));

let building: Promise<void> | undefined;

/** Builds the packages that are out of date, once. Programs that are started afterwards build nothing. */
export function built(): Promise<void> {
  return (building ??= build());
}

async function build(): Promise<void> {
  // `npm test` has built them; a second build would write what other tests read at the same time.
  if (process.env["PACKAGES_BUILT"] === undefined)
    await run(join(root, "node_modules/.bin/turbo"), ["run", "build"], { cwd: root });
  process.env["PACKAGES_BUILT"] = "yes";
}
