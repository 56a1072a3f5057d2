import type { CloseReason } from "./reasons.ts";

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
