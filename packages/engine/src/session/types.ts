import type { Contexts } from "../loop/contexts.ts";
import type { FlushQueue } from "./flush-queue.ts";
import type { ResolvedOptions } from "../options.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";
import type { CloseReason } from "../reasons.ts";

/** The direct road to the layer above: called instead of events, synchronously, in the host's own callback. */
export interface SessionHandlers {
  /** Replies written before it returns leave in the same system call. */
  onMessage(data: string | Buffer): void;
  /** Exactly once. */
  onClose(reason: CloseReason, description?: unknown): void;
}

export interface SendOptions {
  /** Whether a transport that can compress should. Default true. */
  compress?: boolean;
  /** A frame for `ws` made by `socket.io-adapter`; accepted, and made anew. */
  wsPreEncodedFrame?: unknown;
}

export type SendCallback = (transport: Transport) => void;
export type ReadyState = "opening" | "open" | "closing" | "closed";

/** What a session needs of its engine. */
export interface SessionOwner extends TransportOwner {
  readonly opts: ResolvedOptions;
  readonly flushQueue: FlushQueue;
  readonly contexts: Contexts;
  upgrades(transport: string): string[];
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  /** The session has ended. */
  forget(session: { readonly id: string }): void;
}
