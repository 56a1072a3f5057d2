import { existsSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../usage-error.ts";

export interface StartOptions {
  /** The absolute path of the application's script. */
  readonly script: string;
  /** What the script finds in `process.argv` after its path. */
  readonly args: readonly string[];
  readonly workers: number;
  /** How long a worker may take to listen, in ms. */
  readonly readyTimeout: number;
  /** How long the clients of a worker that ends may take to leave, in ms. */
  readonly drainTime: number;
  /** How long a worker may take to end after that, in ms. */
  readonly stopTimeout: number;
  /** Whether each line of a worker begins with its number. */
  readonly prefix: boolean;
}

const MAX_WORKERS = 1024;

/** @throws UsageError */
export function readStartOptions(args: readonly string[], folder: string = process.cwd()): StartOptions {
  const { values, script, rest } = parse(args);
  if (script === undefined) throw new UsageError("name the script to run, such as: tidewire start server.js");
  const path = resolve(folder, script);
  const read: StartOptions = {
    script: path,
    args: rest,
    workers: readWorkers(values.workers),
    readyTimeout: readSeconds("--ready-timeout", values["ready-timeout"]),
    drainTime: readSeconds("--drain", values.drain),
    stopTimeout: readSeconds("--stop-timeout", values["stop-timeout"]),
    prefix: !values["no-prefix"],
  };
  if (!isFile(path)) throw new UsageError(`there is no file ${path}`);
  return read;
}

const options = {
  workers: { type: "string", short: "w", default: "auto" },
  "ready-timeout": { type: "string", default: "30" },
  drain: { type: "string", default: "5" },
  "stop-timeout": { type: "string", default: "10" },
  "no-prefix": { type: "boolean", default: false },
} as const;

interface Parsed {
  readonly values: {
    readonly workers: string;
    readonly "ready-timeout": string;
    readonly drain: string;
    readonly "stop-timeout": string;
    readonly "no-prefix": boolean;
  };
  readonly script: string | undefined;
  readonly rest: readonly string[];
}

/** The options of `start` may stand before and after the script; what follows `--` is the script's. */
function parse(args: readonly string[]): Parsed {
  const end = args.indexOf("--");
  const [own, rest] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  let parsed;
  try {
    parsed = parseArgs({ args: [...own], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(explain(error as Error));
  }
  const { values, positionals } = parsed;
  const [script, unexpected] = positionals;
  if (unexpected !== undefined)
    throw new UsageError(
      `there is one script, and "${unexpected}" is a second; arguments of the script follow after --`,
    );
  return { values, script, rest };
}

/** The first sentence of Node's message; the second recommends what `start` does not mean. */
function explain({ message }: Error): string {
  const [first = message] = message.split(/\.\s/);
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}; arguments of the script follow after --`;
}

function readWorkers(given: string): number {
  if (given === "auto") return availableParallelism();
  const count = Number(given);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_WORKERS) return count;
  throw new UsageError(`--workers is auto, or a whole number from 1 to ${MAX_WORKERS}, not "${given}"`);
}

function readSeconds(name: string, given: string): number {
  const seconds = Number(given);
  if (given.trim() !== "" && seconds >= 0 && seconds <= 86_400) return seconds * 1000;
  throw new UsageError(`${name} is a number of seconds from 0 to 86400, not "${given}"`);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
