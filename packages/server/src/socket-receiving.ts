import type { Packet } from "@tidewire/parser";
import createDebug from "debug";
import { replyOnce } from "./events/acks.ts";
import type { AckCallback } from "./events/acks.ts";
import { runMiddlewares } from "./events/middleware.ts";
import type { Middleware } from "./events/middleware.ts";
import { SocketInRooms } from "./socket-rooms.ts";
import type { EventsMap, Untyped } from "./events/typed-events.ts";
import type { Callable } from "./events/user-code.ts";

const debug = createDebug("socket.io:socket");

/** An incoming event: its name, then its arguments. */
export type Event = [string, ...Untyped[]];

/** A socket, as far as it receives: events, through its middlewares, to the listeners of the application. */
export abstract class ReceivingSocket<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  SocketData,
> extends SocketInRooms<ListenEvents, EmitEvents, ReservedEvents, SocketData> {
  /** Tells of an error: also of one that a middleware refused an event with. */
  abstract _onerror(error: Error): void;
  // Made on first use, as most sockets have none.
  private ownMiddlewares: Middleware<Event>[] | undefined = undefined;

  /** The middlewares of {@link use}. */
  get fns(): Middleware<Event>[] {
    return (this.ownMiddlewares ??= []);
  }

  /** Called with each event; packages replace it to see the events before the listeners do. */
  onevent(packet: Packet): void {
    const args = (packet.data ?? []) as Event;
    if (packet.id !== undefined && packet.id !== null) {
      args.push(this.ack(packet.id));
    }
    if (this.server._userCode.isGuarded) {
      this.callGuarded(args[0], this.listenersAny().slice(), args);
    } else {
      this.notifyIncomingListeners(args);
    }
    this.dispatch(args);
  }

  /** The function that answers the event of this id. */
  ack(id: number): AckCallback {
    return replyOnce(this, id);
  }

  private dispatch(event: Event): void {
    if (this.ownMiddlewares === undefined) {
      return this.deliver(event);
    }
    this.run(event, (error) => {
      // Called from the code of a middleware, which must not see what a listener throws.
      try {
        if (error) {
          this._onerror(error);
        } else {
          this.deliver(event);
        }
      } catch (thrown) {
        this.server._userCode.report(thrown, { source: "listener", event: event[0], socket: this });
      }
    });
  }

  /** Calls listeners of the application, with their errors reported. */
  protected callGuarded(event: string, listeners: readonly Callable[], args: readonly unknown[]): void {
    this.server._userCode.callAll(listeners, this, args, { source: "listener", event, socket: this });
  }

  override notifyOutgoingListeners(packet: Packet): void {
    if (this.server._userCode.isGuarded) {
      const args = packet.data as unknown[];
      this.callGuarded(String(args[0]), this.listenersAnyOutgoing().slice(), args);
    } else {
      super.notifyOutgoingListeners(packet);
    }
  }

  private deliver(event: Event): void {
    if (this.connected && this.server._userCode.isGuarded) {
      this.callGuarded(event[0], this.rawListeners(event[0]) as Callable[], event.slice(1));
    } else if (this.connected) {
      this.emitUntyped(event);
    } else {
      debug("ignore packet received after disconnection");
    }
  }

  /**
   * Adds a middleware: it sees every incoming event and lets it pass by `next()`, or refuses it by `next(error)`, which
   * emits `error` on this socket.
   *
   * @example
   * socket.use(([event, ...args], next) => {
   *   next(isAllowed(event) ? undefined : new Error("not allowed"));
   * });
   */
  use(fn: (event: Event, next: (err?: Error) => void) => void): this {
    this.fns.push(fn);
    return this;
  }

  private run(event: Event, done: (error?: Error) => void): void {
    const { _userCode: userCode } = this.server;
    const origin = { source: "socket middleware", event: event[0], socket: this } as const;
    // An event whose middleware has failed is dropped.
    const guarded = (fn: Middleware<Event>): Middleware<Event> =>
      userCode.guardMiddleware(fn, origin, () => {});
    runMiddlewares(userCode.isGuarded ? this.fns.map(guarded) : this.fns, event, done);
  }
}
