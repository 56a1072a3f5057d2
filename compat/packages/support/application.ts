// Installs the application of application/ with npm, with `socket.io@npm:@tidewire/server` from our packed tarballs, so that
// every published package in it uses our server. Caches installations between runs, by a hash of their contents.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pack, packedManifest, root, type Packed } from "../../../test/packaging/packed.ts";
import { fingerprint, SCOPE, startRegistry } from "./registry.ts";

const run = promisify(execFile);
const source: string = fileURLToPath(new URL("../application/", import.meta.url));
const cache: string = join(root, "compat/.cache/packages");
const HOUR = 60 * 60 * 1000;
/** How many installations to keep, regardless of their age. */
const KEPT = 3;

/** Whether the official server replaces ours: a test that fails with both shows a limit of the package. */
export const isOracle: boolean = process.env["ORACLE"] !== undefined;

interface Manifest {
  dependencies: Record<string, string>;
  overrides?: Record<string, string>;
}

interface Lock {
  packages: Record<string, { name?: string; version?: string; dependencies?: Record<string, string> }>;
}

const manifest = readJson<Manifest>(join(source, "package.json"));

/** The version of a published package that the application has. */
export function versionOf(name: string): string {
  const version = manifest.dependencies[name];
  if (version === undefined) throw new Error(`${name} is not among the dependencies of the application`);
  return version;
}

let installed: Promise<string> | undefined;

/** The folder of the application: its programs and node_modules. Installs it once for all tests, unless it is cached. */
export function application(): Promise<string> {
  return (installed ??= provide());
}

async function provide(): Promise<string> {
  const modules = join(await installation(), "node_modules");
  const folder = mkdtempSync(join(tmpdir(), "tidewire-application-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(source, folder, { recursive: true });
  symlinkSync(modules, join(folder, "node_modules"), "dir");
  return folder;
}

/** The folder of the installation with the current server and these packages. */
async function installation(): Promise<string> {
  const packed = isOracle ? undefined : await pack();
  const others = createHash("sha256").update(process.version).update(JSON.stringify(manifest));
  if (existsSync(lockFile)) others.update(readFileSync(lockFile));
  const family = others.digest("hex").slice(0, 16);
  const place = join(cache, `${family}-${packed === undefined ? officialVersion() : fingerprint(packed)}`);
  if (!existsSync(place)) {
    await install(place, family, packed);
    forgetUnused();
  }
  const now = new Date();
  utimesSync(place, now, now);
  return place;
}

/** Installs in another folder, then renames it: another process may do the same. */
async function install(place: string, family: string, packed: Packed | undefined): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "unfinished-"));
  await copyOthers(family, folder);
  const registry = packed && (await startRegistry(packed));
  try {
    await installIn(folder, packed, registry?.url);
  } finally {
    registry?.close();
  }
  // npm does not install this optional peer; its binaries are large, so use those of the repository
  symlinkSync(join(root, "node_modules/uWebSockets.js"), join(folder, "node_modules/uWebSockets.js"), "dir");
  try {
    renameSync(folder, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
    rmSync(folder, { recursive: true });
  }
}

/** Links the packages of an earlier installation, except our server, so that npm has little to do. */
async function copyOthers(family: string, folder: string): Promise<void> {
  const [earlier] = installations().filter((name) => name.startsWith(`${family}-`));
  if (earlier === undefined) return;
  const modules = join(folder, "node_modules");
  await run("cp", ["-al", join(cache, earlier, "node_modules"), modules]);
  for (const name of ["socket.io", SCOPE, "uWebSockets.js", ".package-lock.json"]) {
    rmSync(join(modules, name), { recursive: true, force: true });
  }
}

async function installIn(
  folder: string,
  packed: Packed | undefined,
  registry: string | undefined,
): Promise<void> {
  const socketio = packed && `npm:${SCOPE}/server@${packedManifest(packed, "server").version}`;
  const clusters = packed && {
    [`${SCOPE}/cluster`]: packedManifest(packed, "cluster").version,
    [`${SCOPE}/cluster-redis`]: packedManifest(packed, "cluster-redis").version,
  };
  const dependencies = { ...manifest.dependencies, ...clusters, "socket.io": socketio ?? officialVersion() };
  const whole: Manifest = { ...manifest, dependencies, overrides: { "socket.io": "$socket.io" } };
  writeJson(join(folder, "package.json"), whole);
  writeFileSync(join(folder, ".npmrc"), registry === undefined ? "" : `${SCOPE}:registry=${registry}\n`);
  if (existsSync(lockFile)) cpSync(lockFile, join(folder, "package-lock.json"));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", ...quiet, "--prefix", folder], { cwd: folder, maxBuffer: 16e6 });
  if (registry === undefined) return;
  const lock = readJson<Lock>(join(folder, "package-lock.json"));
  assertOnlyOurs(lock);
  if (!existsSync(lockFile)) writeJson(lockFile, withoutOurs(lock));
}

/** The versions that npm chose, without our packages. If it is deleted, the next run writes it again. */
const lockFile: string = join(source, "package-lock.json");

function withoutOurs(lock: Lock): Lock {
  const others = Object.entries(lock.packages).filter(([path]) => path !== "" && !isOurs(path));
  return { ...lock, packages: Object.fromEntries(others) };
}

function isOurs(path: string): boolean {
  return path.endsWith("node_modules/socket.io") || path.includes(`node_modules/${SCOPE}/`);
}

/** Throws if a package in the tree has another socket.io. */
function assertOnlyOurs({ packages }: Lock): void {
  const found = Object.entries(packages).filter(
    ([path, { name }]) => path.endsWith("node_modules/socket.io") || name === "socket.io",
  );
  const names = found.map(([path, { name }]) => `${path}: ${name ?? "socket.io"}`);
  if (names.join() !== `node_modules/socket.io: ${SCOPE}/server`)
    throw new Error(`the application should have one socket.io, which is ours: ${names.join(", ")}`);
}

/** When an installation was last used. Another process may have just renamed it, so it may not exist. */
function lastUse(name: string): number {
  return statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
}

/** The installations, the most recently used first. */
function installations(): string[] {
  return readdirSync(cache).sort((one, other) => lastUse(other) - lastUse(one));
}

/** Removes all except the latest installations, and those that another run may use. */
function forgetUnused(): void {
  for (const name of installations().slice(KEPT)) {
    if (Date.now() - lastUse(name) > HOUR) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function officialVersion(): string {
  return readJson<{ version: string }>(join(root, "node_modules/socket.io/package.json")).version;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
