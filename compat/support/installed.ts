import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The folder of an installed package, by the name or alias under which this workspace has it. */
export function folderOf(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

/** The version that is installed. */
export function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

/** A CommonJS module as it is published, typed by whoever asks for it. */
export function load<T>(name: string): T {
  return require(name) as T;
}
