import { readArguments, readNumber } from "../arguments.ts";
import { clientArguments, readClientOptions, readValue } from "../client/client-options.ts";
import type { ClientOptions } from "../client/client-options.ts";
import { UsageError } from "../usage-error.ts";

export interface LoadOptions {
  readonly client: ClientOptions;
  readonly connections: number;
  /** New connections per second. */
  readonly connectRate: number;
  /** How long the connections stay, and events are emitted, in ms. */
  readonly duration: number;
  /** The event to emit; without it, connections are only opened and kept. */
  readonly event: string | undefined;
  /** Events per second, over all connections. */
  readonly rate: number;
  readonly data: readonly unknown[];
  readonly json: boolean;
}

/** One process opens no more than that; beyond, it would measure itself. */
const MAX_CONNECTIONS = 10_000;

/** @throws UsageError */
export function readLoadOptions(args: readonly string[]): LoadOptions {
  const { values, positionals } = readArguments(args, {
    ...clientArguments,
    connections: { type: "string", short: "c", default: "50" },
    "connect-rate": { type: "string", default: "50" },
    duration: { type: "string", short: "d", default: "10" },
    event: { type: "string", short: "e" },
    rate: { type: "string", short: "r", default: "100" },
    data: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
  } as const);
  const [url, unexpected] = positionals;
  const client = readClientOptions(url, values, "tidewire load http://localhost:3000");
  if (unexpected !== undefined) throw new UsageError(`there is one server, and "${unexpected}" is a second`);
  const whole = (name: string, given: string, max: number): number =>
    readNumber(name, given, "a whole number", { min: 1, max, whole: true });
  return {
    client,
    connections: whole("--connections", values.connections, MAX_CONNECTIONS),
    connectRate: whole("--connect-rate", values["connect-rate"], MAX_CONNECTIONS),
    duration:
      1000 * readNumber("--duration", values.duration, "a number of seconds", { min: 0.1, max: 3600 }),
    event: values.event,
    rate: whole("--rate", values.rate, 100_000),
    data: (values.data ?? []).map(readValue),
    json: values.json,
  };
}
