import { readArguments } from "../arguments.ts";
import { clientArguments, readClientOptions, readValue } from "../client/client-options.ts";
import type { ClientOptions } from "../client/client-options.ts";
import { UsageError } from "../usage-error.ts";

export interface EmitOptions {
  readonly client: ClientOptions;
  readonly event: string;
  readonly values: readonly unknown[];
  /** Whether to wait for the acknowledgement. */
  readonly ack: boolean;
}

/** @throws UsageError */
export function readEmitOptions(args: readonly string[]): EmitOptions {
  const { values, positionals } = readArguments(args, {
    ...clientArguments,
    ack: { type: "boolean", short: "a", default: false },
  } as const);
  const [url, event, ...given] = positionals;
  const client = readClientOptions(url, values, "tidewire emit http://localhost:3000 message hello");
  if (event === undefined) throw new UsageError("name the event");
  return { client, event, values: given.map(readValue), ack: values.ack };
}
