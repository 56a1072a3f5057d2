import { statSync } from "node:fs";
import { resolve } from "node:path";
import { readArguments } from "../arguments.ts";
import { UsageError } from "../usage-error.ts";

export interface MigrateOptions {
  /** The absolute path of the project. */
  readonly folder: string;
  readonly json: boolean;
}

/** @throws UsageError */
export function readMigrateOptions(args: readonly string[]): MigrateOptions {
  const { values, positionals } = readArguments(args, { json: { type: "boolean", default: false } } as const);
  const [given = ".", unexpected] = positionals;
  if (unexpected !== undefined) throw new UsageError(`there is one folder, and "${unexpected}" is a second`);
  const folder = resolve(given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`there is no folder ${folder}`);
  return { folder, json: values.json };
}
