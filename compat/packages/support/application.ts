// The application of application/, installed by npm with `socket.io@npm:@tidewire/server` from our packed tarballs, so that
// every published package in it gets ours. Installations are kept between runs, by a hash of what went into them.
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
/** How many installations stay, however old they are. */
const KEPT = 3;

/** True while the official server stands in for ours: a test that fails with both shows a limit of the package. */
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

/** The folder of the application: its programs, and node_modules beside them. Installs it if need be, once for all tests. */
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

/** The folder of the installation with this very server and these very packages. */
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

/** Installs beside the place and moves there: another process may be doing the same. */
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
  // An optional peer that npm does not bring: the binaries are large, and those of the repository do.
  symlinkSync(join(root, "node_modules/uWebSockets.js"), join(folder, "node_modules/uWebSockets.js"), "dir");
  try {
    renameSync(folder, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
    rmSync(folder, { recursive: true });
  }
}

/** Takes over what an earlier installation has, by links, without its server: npm then has little to do. */
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
  const dependencies = { ...manifest.dependencies, "socket.io": socketio ?? officialVersion() };
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

/** What npm has chosen for all packages but ours, which are of today. Deleted, it is written anew by the next run. */
const lockFile: string = join(source, "package-lock.json");

function withoutOurs(lock: Lock): Lock {
  const others = Object.entries(lock.packages).filter(([path]) => path !== "" && !isOurs(path));
  return { ...lock, packages: Object.fromEntries(others) };
}

function isOurs(path: string): boolean {
  return path.endsWith("node_modules/socket.io") || path.includes(`node_modules/${SCOPE}/`);
}

/** Fails if a package in the tree has got another socket.io than ours. */
function assertOnlyOurs({ packages }: Lock): void {
  const found = Object.entries(packages).filter(
    ([path, { name }]) => path.endsWith("node_modules/socket.io") || name === "socket.io",
  );
  const names = found.map(([path, { name }]) => `${path}: ${name ?? "socket.io"}`);
  if (names.join() !== `node_modules/socket.io: ${SCOPE}/server`)
    throw new Error(`the application should have one socket.io, which is ours: ${names.join(", ")}`);
}

/** When an installation was used last; one that has just been moved to its place is not there under its first name. */
function lastUse(name: string): number {
  return statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
}

/** The installations there are, the one that was used last in front. */
function installations(): string[] {
  return readdirSync(cache).sort((one, other) => lastUse(other) - lastUse(one));
}

/** Removes all but the latest installations, and none that a run of now may be using. */
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
