/** Carries the context of OpenTelemetry over the events of a server. @module */
import { context } from "@opentelemetry/api";
import { internals } from "@tidewire/server";
import { ContextCarrier, KEY, VERSION, without } from "./context-carrier.ts";
import type { CarryContextOptions } from "./context-carrier.ts";

export type { CarryContextOptions } from "./context-carrier.ts";

/**
 * A server or a namespace.
 *
 * @example
 * carryContext(io); // all namespaces
 * carryContext(io.of("/orders")); // one
 */
export interface ContextTarget {
  serverSideEmit(event: never, ...args: never[]): boolean;
}

/** Options of {@link carryContext}. */
export interface ServerContextOptions extends CarryContextOptions {
  /**
   * Whether `serverSideEmit()` carries the context to the other servers of the cluster. Each of them must have called
   * `carryContext()`, or its listeners get one more argument.
   * @default false
   */
  servers?: boolean;
}

/**
 * Carries the context of OpenTelemetry over the events of all namespaces of a server, or of one namespace with its children, to and
 * from the clients that have called `carryContext()` of `@tidewire/metrics/opentelemetry/client`. Others notice nothing. Counts for
 * clients that join afterwards. Broadcasts carry no context.
 *
 * @returns a function that ends it for clients that join afterwards
 * @throws TypeError (`CANNOT_CARRY`) for a server of another package
 *
 * @example
 * import { carryContext } from "@tidewire/metrics/opentelemetry";
 *
 * carryContext(io);
 */
export function carryContext(io: ContextTarget, options: ServerContextOptions = {}): () => void {
  const carrier = new ContextCarrier(options);
  return internals.carry(io, {
    acceptance: { [KEY]: VERSION },
    reachesServers: options.servers === true,
    isWantedBy(auth: { [KEY]?: unknown }) {
      if (auth[KEY] !== VERSION) return false;
      delete auth[KEY];
      return true;
    },
    put: (event) => carrier.put(event),
    without,
    receive: (event, handle) => carrier.receive(event, handle),
    bind: (ack) => context.bind(context.active(), ack),
  });
}
