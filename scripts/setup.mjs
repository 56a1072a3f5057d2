// Finds Chromium for the browser tests; run as a program, it also installs it where that is possible.
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const PACKAGES = ["chromium", "fonts-liberation"];

/** The path of Chromium: the variable CHROMIUM, else the first of its usual names; undefined if there is none. */
export function findChromium() {
  const wished = process.env.CHROMIUM;
  if (wished) return isExecutable(wished) ? wished : undefined;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** What is missing when `findChromium()` finds nothing, and how to get it, in one sentence. */
export function whyNoChromium() {
  const wished = process.env.CHROMIUM;
  if (wished) return `CHROMIUM=${wished} is not a program that can be run`;
  return `no Chromium found: apt-get install ${PACKAGES.join(" ")}, or set CHROMIUM to the path of one`;
}

/** Installs Chromium from Debian's packages. Returns why that was not possible, or undefined. */
function installChromium() {
  if (process.env.CHROMIUM) return whyNoChromium();
  if (!isDebian()) return `this is not Debian; ${whyNoChromium()}`;
  if (process.getuid?.() !== 0) return `installing needs root; ${whyNoChromium()}`;
  console.log(`Installing ${PACKAGES.join(" and ")} with apt-get`);
  const install = ["install", "-y", "--no-install-recommends", ...PACKAGES];
  for (const args of [["update"], install]) {
    const run = spawnSync("apt-get", args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (run.status !== 0)
      return `apt-get ${args[0]} failed\n${run.stdout ?? ""}${run.stderr ?? run.error ?? ""}`;
  }
  return findChromium() ? undefined : whyNoChromium();
}

function isDebian() {
  try {
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findChromium() ? undefined : installChromium();
  if (problem) console.error(`The browser tests cannot run: ${problem}`);
  else console.log(`Chromium for the browser tests: ${findChromium()}`);
  // On a person's machine the tests say that they wait; where nobody reads along, that is a failure.
  if (problem && process.env.CI) process.exitCode = 1;
}
