// Runtimes other than Node.js, installed by npm when a test first asks for them, and kept between runs.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./packed.ts";

const run = promisify(execFile);

const manifest: string = join(root, "test/packaging/runtimes/package.json");
const cache: string = join(root, "test/.cache");
const { dependencies } = JSON.parse(readFileSync(manifest, "utf8")) as {
  dependencies: Readonly<Record<RuntimeName, string>>;
};

export type RuntimeName = "bun" | "deno";

/** The version of an installed runtime. */
export function versionOf(name: RuntimeName): string {
  return dependencies[name];
}

let installed: Promise<string> | undefined;

/** The path of a runtime's program. Installs all runtimes once for all tests, unless they are cached. */
export async function runtime(name: RuntimeName): Promise<string> {
  return join(await (installed ??= provide()), "node_modules/.bin", name);
}

/** Installs in another folder, then renames it: another process may do the same. */
async function provide(): Promise<string> {
  const place = join(cache, `runtimes-${Object.values(dependencies).join("-")}`);
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "unfinished-"));
  cpSync(manifest, join(folder, "package.json"));
  const quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  try {
    await run("npm", ["install", ...quiet, "--prefix", folder], { cwd: folder, timeout: 180_000 });
    renameSync(folder, place);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}
