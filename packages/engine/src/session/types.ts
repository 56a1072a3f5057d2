import type { Contexts } from "../loop/contexts.ts";
import type { ResolvedOptions } from "../options.ts";
import type { CloseReason } from "../reasons.ts";
import type { Message } from "../protocol/packet.ts";
import type { Audience } from "./audience.ts";
import type { OpenData } from "./open-data.ts";
import type { EngineCounters } from "../stats/counters.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";

/**
 * The direct road to the layer above: called synchronously, in the callback of the host.
 *
 * @example
 * session.handlers = {
 *   onMessage(data) {
 *     session.send(data);
 *   },
 *   onClose(reason, description) {
 *     console.log(reason, description);
 *   },
 * };
 */
export interface SessionHandlers {
  /** Replies that are sent before it returns leave in the same system call. */
  onMessage(data: string | Buffer): void;
  /** Called exactly once. */
  onClose(reason: CloseReason, description?: unknown): void;
}

/** Options of a message that is sent. */
export interface SendOptions {
  /**
   * Whether a transport that can compress the message does so.
   * @default true
   */
  compress?: boolean;
  /**
   * A frame for `ws`, made by `socket.io-adapter`. Accepted and not used: frames are cached here.
   * @default none
   */
  wsPreEncodedFrame?: unknown;
}

export type SendCallback = (transport: Transport) => void;
export type ReadyState = "opening" | "open" | "closing" | "closed";

/**
 * What a session needs of its engine.
 *
 * @example
 * engine.upgrades("polling"); // ["websocket"]
 * if (engine.listenerCount("drain") > 0) engine.emit("drain", session);
 */
export interface SessionOwner extends TransportOwner {
  readonly opts: ResolvedOptions;
  /** @internal */
  readonly flushQueue: {
    /** Differs from one turn of the event loop to the next. */
    readonly turn: number;
    add(session: object): void;
  };
  /** @internal */
  readonly broadcasts: {
    readonly isWaiting: boolean;
    reading: object | undefined;
    epoch: number;
    isTouched: boolean;
    send(audience: Audience<object>, messages: readonly Message[], except: readonly object[]): number;
    settle(session: object): void;
    block(session: object): void;
    unblock(session: object): void;
    forget(session: object): void;
  };
  /** @internal */
  readonly openData: OpenData;
  /** @internal */
  readonly counters: EngineCounters;
  /** @internal */
  readonly contexts: Contexts;
  /** Names of the transports that a session on the given one may change to. */
  upgrades(transport: string): string[];
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
  /** @internal Called when the session has changed its transport. */
  upgraded(session: { readonly id: string }): void;
  /** @internal Called when the session has ended. */
  forget(session: { readonly id: string }): void;
}
