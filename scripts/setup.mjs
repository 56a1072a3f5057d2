// Finds what the tests need beside npm packages: Chromium, and openssl for the certificates of WebTransport. Run as a program,
// it also installs them where that is possible.
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
  return find(NAMES);
}

/** The path of the first of these programs that is there. */
function find(names) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** What is missing when `findChromium()` finds nothing, and how to get it, in one sentence. */
export function whyNoChromium() {
  const wished = process.env.CHROMIUM;
  if (wished) return `CHROMIUM=${wished} is not a program that can be run`;
  return `no Chromium found: apt-get install ${PACKAGES.join(" ")}, or set CHROMIUM to the path of one`;
}

/** Installs Debian packages. Returns why that was not possible, or undefined. */
function install(packages) {
  if (!isDebian()) return "this is not Debian";
  if (process.getuid?.() !== 0) return "installing needs root";
  console.log(`Installing ${packages.join(" and ")} with apt-get`);
  const installing = ["install", "-y", "--no-install-recommends", ...packages];
  for (const args of [["update"], installing]) {
    const run = spawnSync("apt-get", args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (run.status !== 0)
      return `apt-get ${args[0]} failed\n${run.stdout ?? ""}${run.stderr ?? run.error ?? ""}`;
  }
  return undefined;
}

/** Makes Chromium available. Returns why that was not possible, or undefined. */
function provideChromium() {
  if (findChromium()) return undefined;
  const problem = process.env.CHROMIUM ? undefined : install(PACKAGES);
  if (findChromium()) return undefined;
  return problem === undefined ? whyNoChromium() : `${problem}; ${whyNoChromium()}`;
}

/** Makes openssl available. Returns why that was not possible, or undefined. */
function provideOpenssl() {
  if (find(["openssl"])) return undefined;
  const problem = install(["openssl"]);
  return find(["openssl"]) ? undefined : `no openssl found: apt-get install openssl; ${problem}`;
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
  const noChromium = provideChromium();
  const noOpenssl = provideOpenssl();
  if (noChromium) console.error(`The browser tests cannot run: ${noChromium}`);
  else console.log(`Chromium for the browser tests: ${findChromium()}`);
  if (noOpenssl) console.error(`The tests of WebTransport over a network cannot run: ${noOpenssl}`);
  // On a person's machine the tests say that they wait; where nobody reads along, that is a failure.
  if ((noChromium || noOpenssl) && process.env.CI) process.exitCode = 1;
}
