import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The folder of an installed package, by its name or alias in this workspace. */
export function folderOf(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

/** The installed version of a package. */
export function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

/** Loads a published CommonJS module; the caller chooses its type. */
export function load<T>(name: string): T {
  return require(name) as T;
}
