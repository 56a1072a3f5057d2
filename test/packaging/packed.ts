// The packages as a user gets them: packed, and unpacked into a throw-away node_modules folder in which
// the third-party dependencies that they name, and nothing else, can be found.
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { built } from "../support/process/built.ts";

const run = promisify(execFile);

export const root: string = fileURLToPath(new URL("../../", import.meta.url));
/** The packages that applications import. */
export const packageNames = [
  "parser",
  "engine",
  "contract",
  "server",
  "cluster",
  "cluster-redis",
  "cluster-nats",
  "cluster-postgres",
  "testing",
  "metrics",
  "inspector",
] as const;
/** The same, and the command line. */
export const publishedNames = [...packageNames, "cli"] as const;
export type PackageName = (typeof publishedNames)[number];

/** The name of a package on npm. */
export function npmName(name: PackageName): string {
  return name === "cli" ? "tidewire" : `@tidewire/${name}`;
}

export interface Packed {
  /** The tarballs, by name. */
  readonly tarballs: Readonly<Record<PackageName, string>>;
  /** A folder whose node_modules hold the unpacked packages; uWebSockets.js is not among them. */
  readonly folder: string;
}

export interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

let packed: Promise<Packed> | undefined;

/** Builds what is out of date, packs and unpacks; once for all tests. */
export function pack(): Promise<Packed> {
  return (packed ??= packAll());
}

/** A file of the repository's node_modules/.bin. */
export function bin(name: string): string {
  return join(root, "node_modules", ".bin", name);
}

/** Runs a program to its end; a status other than 0 is a result, not an error. */
export async function output(file: string, args: readonly string[], cwd: string): Promise<Output> {
  const env = { ...process.env, NODE_OPTIONS: "" };
  try {
    const { stdout, stderr } = await run(file, args, { cwd, env, maxBuffer: 64e6 });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

/** Runs a script in the folder, as `name`, and gives what it printed as JSON. */
export async function evaluate(name: string, script: string): Promise<unknown> {
  const { folder } = await pack();
  writeFileSync(join(folder, name), script);
  const { status, stdout, stderr } = await output(process.execPath, [name], folder);
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
  return JSON.parse(stdout);
}

async function packAll(): Promise<Packed> {
  await built();
  const folder = mkdtempSync(join(tmpdir(), "tidewire-packed-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  for (const name of publishedNames) args.push("--workspace", `packages/${name}`);
  await run("npm", args, { cwd: root });
  const tarballs = {} as Record<PackageName, string>;
  for (const name of publishedNames) {
    const { version } = manifest(join(root, "packages", name));
    const file = npmName(name).replace("@", "").replace("/", "-");
    tarballs[name] = join(folder, `${file}-${version}.tgz`);
    await unpack(tarballs[name], join(folder, "node_modules", npmName(name)));
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  for (const name of dependencies(folder).add("@types/node").add("socket.io-client")) link(name, folder);
  return { tarballs, folder };
}

export async function unpack(tarball: string, into: string): Promise<void> {
  mkdirSync(into, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", into]);
}

/** The package.json of an unpacked package. */
export function packedManifest({ folder }: Packed, name: PackageName): Manifest {
  return manifest(join(folder, "node_modules", "@tidewire", name));
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** What the unpacked packages depend on, themselves left out. */
function dependencies(folder: string): Set<string> {
  const names = new Set<string>();
  for (const name of publishedNames) {
    const { dependencies: own = {} } = manifest(join(folder, "node_modules", npmName(name)));
    for (const dependency of Object.keys(own))
      if (!dependency.startsWith("@tidewire/")) names.add(dependency);
  }
  return names;
}

function link(name: string, folder: string): void {
  const target = join(root, "node_modules", name);
  if (!existsSync(target)) throw new Error(`${name} is a dependency and is not installed`);
  const path = join(folder, "node_modules", name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, "dir");
}
