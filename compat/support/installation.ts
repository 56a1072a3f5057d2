// Installs an application with npm, with packages of ours from tarballs in place of official ones, so that every published package
// in it uses ours. Caches installations between runs, by a hash of their contents.
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
import { join } from "node:path";
import { promisify } from "node:util";
import { pack, packedManifest, root, type PackageName, type Packed } from "../../test/packaging/packed.ts";
import { fingerprint, SCOPE, startRegistry } from "./registry.ts";

const run = promisify(execFile);
const cache: string = join(root, "compat/.cache");
const HOUR = 60 * 60 * 1000;
/** How many installations of an application to keep, regardless of their age. */
const KEPT = 3;

/** Whether the official packages replace ours: a test that fails with both shows a limit of the other package. */
export const isOracle: boolean = process.env["ORACLE"] !== undefined;

interface Manifest {
  dependencies: Record<string, string>;
  overrides?: Record<string, string>;
}

interface Lock {
  packages: Record<string, { name?: string; version?: string; dependencies?: Record<string, string> }>;
}

export interface Application {
  /** The folder of its package.json. A package-lock.json beside that is used, and written if `isLocked`. */
  readonly source: string;
  /** The folder of its installations in the cache. */
  readonly name: string;
  /** Our packages by the names of those that they replace. */
  readonly aliases: Readonly<Record<string, PackageName>>;
  /** Our packages that it has under their own names. */
  readonly others?: readonly PackageName[];
  /** Whether the versions of all packages are recorded; otherwise npm chooses those that package.json does not name. */
  readonly isLocked: boolean;
}

/** The installation of an application. */
export class Installation {
  readonly #application: Application;
  readonly #manifest: Manifest;
  /** The versions that npm chose, without our packages. If it is deleted, the next run writes it again. */
  readonly #lockFile: string;
  readonly #cache: string;
  #installed: Promise<string> | undefined = undefined;

  constructor(application: Application) {
    this.#application = application;
    this.#manifest = readJson<Manifest>(join(application.source, "package.json"));
    this.#lockFile = join(application.source, "package-lock.json");
    this.#cache = join(cache, application.name);
  }

  /** The version of a published package that the application has. */
  versionOf(name: string): string {
    const version = this.#manifest.dependencies[name];
    if (version === undefined) throw new Error(`${name} is not among the dependencies of the application`);
    return version;
  }

  /** A folder with the node_modules of the application. Installs it once for all tests, unless it is cached. */
  folder(): Promise<string> {
    return (this.#installed ??= this.#provide());
  }

  async #provide(): Promise<string> {
    const packed = isOracle ? undefined : await pack();
    const others = createHash("sha256").update(process.version).update(JSON.stringify(this.#manifest));
    if (existsSync(this.#lockFile)) others.update(readFileSync(this.#lockFile));
    const family = others.digest("hex").slice(0, 16);
    const official = Object.keys(this.#application.aliases).map(officialVersion).join("-");
    const place = join(this.#cache, `${family}-${packed === undefined ? official : fingerprint(packed)}`);
    if (!existsSync(place)) {
      await this.#install(place, family, packed);
      this.#forgetUnused();
    }
    const now = new Date();
    utimesSync(place, now, now);
    return place;
  }

  /** Installs in another folder, then renames it: another process may do the same. */
  async #install(place: string, family: string, packed: Packed | undefined): Promise<void> {
    mkdirSync(this.#cache, { recursive: true });
    const folder = mkdtempSync(join(this.#cache, "unfinished-"));
    await this.#copyOthers(family, folder);
    const registry = packed && (await startRegistry(packed));
    try {
      await this.#installIn(folder, packed, registry?.url);
    } finally {
      registry?.close();
    }
    // npm does not install this optional peer; its binaries are large, so use those of the repository
    symlinkSync(
      join(root, "node_modules/uWebSockets.js"),
      join(folder, "node_modules/uWebSockets.js"),
      "dir",
    );
    try {
      renameSync(folder, place);
    } catch (error) {
      if (!existsSync(place)) throw error;
      rmSync(folder, { recursive: true });
    }
  }

  /** Links the packages of an earlier installation, except ours, so that npm has little to do. */
  async #copyOthers(family: string, folder: string): Promise<void> {
    const [earlier] = this.#installations().filter((name) => name.startsWith(`${family}-`));
    if (earlier === undefined) return;
    const modules = join(folder, "node_modules");
    await run("cp", ["-al", join(this.#cache, earlier, "node_modules"), modules]);
    const ours = Object.keys(this.#application.aliases);
    for (const name of [...ours, SCOPE, "uWebSockets.js", ".package-lock.json"]) {
      rmSync(join(modules, name), { recursive: true, force: true });
    }
  }

  async #installIn(folder: string, packed: Packed | undefined, registry: string | undefined): Promise<void> {
    const { aliases, others = [] } = this.#application;
    const ours = Object.entries(aliases).map(([alias, name]) => [
      alias,
      packed ? `npm:${SCOPE}/${name}@${packedManifest(packed, name).version}` : officialVersion(alias),
    ]);
    const own = packed
      ? others.map((name) => [`${SCOPE}/${name}`, packedManifest(packed, name).version])
      : [];
    const whole: Manifest = {
      ...this.#manifest,
      dependencies: { ...this.#manifest.dependencies, ...Object.fromEntries([...ours, ...own]) },
      overrides: Object.fromEntries(Object.keys(aliases).map((alias) => [alias, `$${alias}`])),
    };
    writeJson(join(folder, "package.json"), whole);
    writeFileSync(join(folder, ".npmrc"), registry === undefined ? "" : `${SCOPE}:registry=${registry}\n`);
    if (existsSync(this.#lockFile)) cpSync(this.#lockFile, join(folder, "package-lock.json"));
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    await run("npm", ["install", ...quiet, "--prefix", folder], { cwd: folder, maxBuffer: 16e6 });
    if (registry === undefined) return;
    const lock = readJson<Lock>(join(folder, "package-lock.json"));
    for (const [alias, name] of Object.entries(aliases)) assertOnlyOurs(lock, alias, `${SCOPE}/${name}`);
    if (this.#application.isLocked && !existsSync(this.#lockFile))
      writeJson(this.#lockFile, this.#withoutOurs(lock));
  }

  #withoutOurs(lock: Lock): Lock {
    const names = Object.keys(this.#application.aliases);
    const isOurs = (path: string): boolean =>
      names.some((name) => path.endsWith(`node_modules/${name}`)) || path.includes(`node_modules/${SCOPE}/`);
    const others = Object.entries(lock.packages).filter(([path]) => path !== "" && !isOurs(path));
    return { ...lock, packages: Object.fromEntries(others) };
  }

  /** When an installation was last used. Another process may have just renamed it, so it may not exist. */
  #lastUse(name: string): number {
    return statSync(join(this.#cache, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  }

  /** The installations, the most recently used first. */
  #installations(): string[] {
    return readdirSync(this.#cache).sort((one, other) => this.#lastUse(other) - this.#lastUse(one));
  }

  /** Removes all except the latest installations, and those that another run may use. */
  #forgetUnused(): void {
    for (const name of this.#installations().slice(KEPT)) {
      if (Date.now() - this.#lastUse(name) > HOUR)
        rmSync(join(this.#cache, name), { recursive: true, force: true });
    }
  }
}

/** Throws if a package in the tree has the official package. */
function assertOnlyOurs({ packages }: Lock, alias: string, ours: string): void {
  const found = Object.entries(packages).filter(
    ([path, { name }]) => path.endsWith(`node_modules/${alias}`) || name === alias,
  );
  const names = found.map(([path, { name }]) => `${path}: ${name ?? alias}`);
  if (names.join() !== `node_modules/${alias}: ${ours}`)
    throw new Error(`the application should have one ${alias}, which is ours: ${names.join(", ")}`);
}

function officialVersion(name: string): string {
  return readJson<{ version: string }>(join(root, "node_modules", name, "package.json")).version;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
