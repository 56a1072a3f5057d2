import { readArguments, readNumber } from "../arguments.ts";
import { clientArguments, readClientOptions } from "../client/client-options.ts";
import type { ClientOptions } from "../client/client-options.ts";
import { UsageError } from "../usage-error.ts";

export interface ListenOptions {
  readonly client: ClientOptions;
  /** The names of the events to print; all if there are none. */
  readonly events: readonly string[];
  /** After so many events it ends. */
  readonly count: number | undefined;
  readonly json: boolean;
}

/** @throws UsageError */
export function readListenOptions(args: readonly string[]): ListenOptions {
  const { values, positionals } = readArguments(args, {
    ...clientArguments,
    event: { type: "string", multiple: true, short: "e" },
    count: { type: "string", short: "n" },
    json: { type: "boolean", default: false },
  } as const);
  const [url, unexpected] = positionals;
  const client = readClientOptions(url, values, "tidewire listen http://localhost:3000");
  if (unexpected !== undefined)
    throw new UsageError(`there is one server, and "${unexpected}" is a second; --event names events`);
  const range = { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true };
  const { count } = values;
  return {
    client,
    events: values.event ?? [],
    count: count === undefined ? undefined : readNumber("--count", count, "a whole number", range),
    json: values.json,
  };
}
