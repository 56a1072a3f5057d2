import { internals } from "@tidewire/engine";
import type { Message, Session } from "@tidewire/engine";
import type { BroadcastFlags } from "socket.io-adapter";
import type { Waiting } from "./port.ts";

/** What happens to a volatile event that a client cannot take at once. */
export type SlowConsumer = "disconnect" | "drop-volatile" | "conflate";

/** The modifiers of an event that say how it waits. */
export type WaitingFlags = BroadcastFlags & {
  /** Of the events with this key, only the newest waits. */
  conflate?: string;
};

/** Only the newest event of a key waits. */
class Newest implements Waiting {
  readonly mayBeLost: boolean;
  readonly #key: string;

  constructor(key: string, mayBeLost: boolean) {
    this.#key = key;
    this.mayBeLost = mayBeLost;
  }

  queue(session: Session, messages: readonly Message[]): void {
    internals.sendNewest(session, this.#key, messages);
  }
}

/** The event waits until there is no room for it. */
const droppable: Waiting = {
  mayBeLost: true,
  queue(session, messages) {
    internals.sendDroppable(session, messages);
  },
};

/** Returns how an event waits; undefined if it waits like any other, or is dropped because it is volatile. */
export function waitingOf(
  { conflate, volatile }: { conflate?: string; volatile?: boolean | undefined },
  namespace: string,
  packet: { readonly data?: unknown },
  policy: SlowConsumer | undefined,
): Waiting | undefined {
  if (conflate !== undefined) return new Newest(JSON.stringify(["key", namespace, conflate]), false);
  if (!volatile || policy === undefined || policy === "disconnect") return undefined;
  if (policy === "drop-volatile") return droppable;
  // Read here only: a packet of another server is decoded when somebody looks at its data.
  const event = Array.isArray(packet.data) ? (packet.data[0] as unknown) : undefined;
  return new Newest(JSON.stringify(["event", namespace, event]), true);
}
