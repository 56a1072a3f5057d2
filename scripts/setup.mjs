// Finds what the tests need beside npm packages, and, run as a program, installs what is missing where that is possible.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findTools, installTools } from "./tools.mjs";

/** The programs of the proxies, which are called like their Debian packages. */
const PROXIES = { nginx: "nginx", HAProxy: "haproxy", Apache: "apache2", Caddy: "caddy" };

/** What is needed: how it is found, the Debian packages that bring it (or npm), and the tests that wait for it. */
const PARTS = [
  {
    name: "Chromium",
    variable: "CHROMIUM",
    find: findChromium,
    packages: ["chromium", "fonts-liberation"],
    waiting: "The browser tests",
  },
  {
    name: "openssl",
    find: () => find(["openssl"]),
    packages: ["openssl"],
    waiting: "The tests of WebTransport over a network",
  },
  {
    name: "Redis",
    find: findRedis,
    packages: ["redis-server"],
    waiting: "The tests of clusters over Redis, and the compatibility tests of its adapters",
  },
  {
    name: "NATS",
    find: findNats,
    packages: ["nats-server"],
    waiting: "The tests of clusters over NATS",
  },
  {
    name: "PostgreSQL",
    find: findPostgres,
    packages: ["postgresql"],
    waiting: "The tests of clusters over PostgreSQL, and the compatibility tests of its adapter",
  },
  {
    name: "the Python client",
    find: findPythonClient,
    packages: ["python3-socketio", "python3-requests", "python3-websocket"],
    waiting: "The compatibility tests of the Python client",
  },
  ...Object.keys(PROXIES).map((name) => ({
    name,
    find: () => findProxy(name),
    packages: [PROXIES[name]],
    waiting: `The tests behind ${name}`,
  })),
  {
    name: "other versions of Node and TypeScript",
    find: findTools,
    packages: [],
    waiting: "The tests on other versions of Node, and those of old ways to resolve types",
  },
];

const BROWSERS = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The path of Chromium: the variable CHROMIUM, else the first of its usual names; undefined if there is none. */
export function findChromium() {
  const wished = process.env.CHROMIUM;
  if (wished) return isExecutable(wished) ? wished : undefined;
  return find(BROWSERS);
}

/** The path of redis-server; undefined if there is none. */
export function findRedis() {
  return find(["redis-server"]);
}

/** The path of nats-server; undefined if there is none. */
export function findNats() {
  return find(["nats-server"]);
}

/** The folder of PostgreSQL's programs, which Debian keeps off the path: the newest one; undefined if there is none. */
export function findPostgres() {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root)
    ? readdirSync(root).sort((one, other) => Number(other) - Number(one))
    : [];
  return versions
    .map((version) => join(root, version, "bin"))
    .find((bin) => isExecutable(join(bin, "initdb")));
}

/** The path of nginx, HAProxy, Apache or Caddy; undefined if there is none. */
export function findProxy(name) {
  return find([PROXIES[name]]);
}

/** The path of a Python that has the Socket.IO client for both transports; undefined if there is none. */
export function findPythonClient() {
  const python = "/usr/bin/python3";
  const probe = spawnSync(python, ["-c", "import socketio, requests, websocket"], { stdio: "ignore" });
  return probe.status === 0 ? python : undefined;
}

/** What is missing when `findChromium()` finds nothing, and how to get it, in one sentence. */
export function whyNoChromium() {
  return whyMissing("Chromium");
}

/**
 * What is missing, and how to get it, in one sentence.
 * `name` is that of one of PARTS.
 */
export function whyMissing(name) {
  const { variable, packages } = PARTS.find((part) => part.name === name);
  const wished = variable && process.env[variable];
  if (wished) return `${variable}=${wished} is not a program that can be run`;
  if (packages.length === 0) return `no ${name} found: npm ci in scripts/tools`;
  const other = variable ? `, or set ${variable} to the path of one` : "";
  return `no ${name.replace(/^the /, "")} found: apt-get install ${packages.join(" ")}${other}`;
}

/** The path of the first of these programs that is there. */
function find(names) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/sbin"];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Installs Debian packages, without starting the services in them. Returns why that was not possible, or undefined. */
function install(packages) {
  if (!isDebian()) return "this is not Debian";
  if (process.getuid?.() !== 0) return "installing needs root";
  console.log(`Installing ${packages.join(", ")} with apt-get`);
  const letServicesStart = keepServicesDown();
  try {
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
  } finally {
    letServicesStart();
  }
}

/** Tells Debian not to start what it installs: the tests start their own, on free ports. Returns what ends that. */
function keepServicesDown() {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return () => {};
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}

/** Makes all parts available, with one run of apt-get for all that are missing. Returns the names of what is missing still. */
function provide() {
  const wanted = PARTS.filter((part) => !part.find() && !(part.variable && process.env[part.variable]));
  const debian = wanted.flatMap((part) => part.packages);
  const problems = [
    debian.length > 0 ? install(debian) : undefined,
    findTools() === undefined ? installTools() : undefined,
  ];
  for (const part of PARTS) {
    const found = part.find();
    if (found) console.log(`${part.name}: ${found}`);
    else console.error(`${part.waiting} cannot run: ${whyMissing(part.name)}`);
  }
  for (const problem of problems) if (problem !== undefined) console.error(problem);
  return PARTS.filter((part) => !part.find());
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
  // On a person's machine the tests say that they wait; where nobody reads along, that is a failure.
  if (provide().length > 0 && process.env.CI) process.exitCode = 1;
}
