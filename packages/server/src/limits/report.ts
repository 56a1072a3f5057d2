import type { LimitRefusal } from "@tidewire/engine";
import type { Handshake } from "../connection/handshake.ts";
import type { Connection } from "../connection/port.ts";

/** What a limit has refused: the argument of `limit_exceeded`. */
export interface LimitReport extends LimitRefusal {
  /** How often it refused something since the last report of its code; the other properties describe the last time. */
  readonly times: number;
  /** The connection of the client; undefined for a handshake. */
  readonly conn?: Connection;
  /** The socket of the client, if the limit is one of sockets. */
  readonly socket?: { readonly id: string; readonly handshake: Handshake };
  /** The name of the namespace, if the limit is one of namespaces. */
  readonly namespace?: string;
}

/** A report without how often it happened. */
export type ServerRefusal = Omit<LimitReport, "times">;
