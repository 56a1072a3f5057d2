import { internals } from "@tidewire/engine";

/** The options that say how long an engine may take to find out that a connection is dead, in ms; the server's may be text. */
interface HeartbeatOptions {
  readonly pingInterval?: number | string;
  readonly pingTimeout?: number | string;
  readonly upgradeTimeout?: number | string;
}

export interface HeartbeatServer {
  readonly opts: HeartbeatOptions;
  readonly engine?: { readonly opts?: HeartbeatOptions };
}

/** How long a connection can be dead before the heartbeat finds out, in ms. */
export function blindTimeOf({ engine, opts }: HeartbeatServer): number {
  // The engine may have options of its own, and is created after the adapter.
  const given: HeartbeatOptions = { ...opts, ...engine?.opts };
  let sum = 0;
  for (const name of ["pingInterval", "pingTimeout", "upgradeTimeout"] as const) {
    sum += Number(given[name] ?? internals.defaultOptions[name]);
  }
  return sum;
}
