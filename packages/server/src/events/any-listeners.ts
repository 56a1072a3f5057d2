import type { Packet } from "@tidewire/parser";
import { ChoosingEmitter } from "../broadcasting-emitter.ts";
import type { EventsMap, Untyped } from "./typed-events.ts";

/** A listener of every event, whatever its name: it gets the name first, then the arguments. */
export type CatchAllListener = (...args: Untyped[]) => void;

/** The list without the first occurrence of a listener, in place; or, if none is given, an empty list. */
function withoutListener(
  listeners: CatchAllListener[],
  listener: CatchAllListener | undefined,
): CatchAllListener[] {
  if (listener === undefined) {
    return [];
  }
  const index = listeners.indexOf(listener);
  if (index !== -1) listeners.splice(index, 1);
  return listeners;
}

/** Calls the listeners; those added or removed meanwhile do not count. */
function notifyListeners(
  listeners: readonly CatchAllListener[] | undefined,
  self: object,
  args: readonly unknown[],
): void {
  if (listeners === undefined || listeners.length === 0) return;
  for (const listener of listeners.slice()) {
    listener.apply(self, args as unknown[]);
  }
}

/** A socket, as far as it tells of every event that comes in or goes out, whatever its name. */
export abstract class CatchAllEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  SocketData,
> extends ChoosingEmitter<ListenEvents, EmitEvents, ReservedEvents, EmitEvents, SocketData> {
  private anyListeners: CatchAllListener[] | undefined = undefined;
  private anyOutgoingListeners: CatchAllListener[] | undefined = undefined;

  /**
   * Adds a listener of every incoming event.
   *
   * @example
   * socket.onAny((event, ...args) => console.log(`got ${event}`));
   */
  onAny(listener: CatchAllListener): this {
    (this.anyListeners ??= []).push(listener);
    return this;
  }

  /**
   * Adds a listener of every incoming event, in front of the others.
   *
   * @example
   * socket.prependAny((event, ...args) => console.log(`got ${event}`));
   */
  prependAny(listener: CatchAllListener): this {
    (this.anyListeners ??= []).unshift(listener);
    return this;
  }

  /**
   * Removes a listener of every incoming event, or all of them.
   *
   * @example
   * socket.offAny(listener);
   * socket.offAny();
   */
  offAny(listener?: CatchAllListener): this {
    if (this.anyListeners) this.anyListeners = withoutListener(this.anyListeners, listener);
    return this;
  }

  /**
   * The listeners of every incoming event.
   *
   * @example
   * socket.listenersAny().length;
   */
  listenersAny(): CatchAllListener[] {
    return this.anyListeners ?? [];
  }

  /**
   * Adds a listener of every event sent to this client, by itself or in a broadcast.
   *
   * @example
   * socket.onAnyOutgoing((event, ...args) => console.log(`sent ${event}`));
   */
  onAnyOutgoing(listener: CatchAllListener): this {
    (this.anyOutgoingListeners ??= []).push(listener);
    return this;
  }

  /**
   * Adds a listener of every event sent, in front of the others.
   *
   * @example
   * socket.prependAnyOutgoing((event, ...args) => console.log(`sent ${event}`));
   */
  prependAnyOutgoing(listener: CatchAllListener): this {
    (this.anyOutgoingListeners ??= []).unshift(listener);
    return this;
  }

  /**
   * Removes a listener of every event sent, or all of them.
   *
   * @example
   * socket.offAnyOutgoing(listener);
   * socket.offAnyOutgoing();
   */
  offAnyOutgoing(listener?: CatchAllListener): this {
    if (this.anyOutgoingListeners) {
      this.anyOutgoingListeners = withoutListener(this.anyOutgoingListeners, listener);
    }
    return this;
  }

  /**
   * The listeners of every event sent.
   *
   * @example
   * socket.listenersAnyOutgoing().length;
   */
  listenersAnyOutgoing(): CatchAllListener[] {
    return this.anyOutgoingListeners ?? [];
  }

  /** Tells the listeners of {@link onAnyOutgoing}; adapters call it for each receiver of a broadcast. */
  notifyOutgoingListeners(packet: Packet): void {
    notifyListeners(this.anyOutgoingListeners, this, packet.data as unknown[]);
  }

  /** Tells the listeners of {@link onAny}. */
  protected notifyIncomingListeners(args: readonly unknown[]): void {
    notifyListeners(this.anyListeners, this, args);
  }
}
