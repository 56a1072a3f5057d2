import { internals } from "@tidewire/engine";
import { EventEmitter } from "node:events";
import { rethrow } from "../errors.ts";
import type { AckCallback } from "./acks.ts";
import { runMiddlewares } from "./middleware.ts";
import type { Middleware } from "./middleware.ts";

const { isThenable } = internals;

/** The kind of application code that has failed. */
export type ErrorSource =
  /** a listener of a namespace for `connect` or `connection`, a listener of its adapter, or a function that decides about namespaces */
  | "connection"
  /** a listener of a socket or a namespace, catch-all listeners included */
  | "listener"
  /** a middleware of a namespace */
  | "middleware"
  /** a middleware of a socket */
  | "socket middleware"
  /** the callback of an event that asked for an answer */
  | "acknowledgement";

/** Where an error of the application came from. */
export interface ErrorOrigin<Socket> {
  readonly source: ErrorSource;
  /** The name of the event; undefined for middlewares of a namespace, and for callbacks that an adapter has registered. */
  readonly event: string | undefined;
  /** The socket the code was called for; undefined for events between servers. */
  readonly socket: Socket | undefined;
}

/** Receives the errors that application code throws or rejects with. */
export type ErrorHandler<Socket> = (error: unknown, origin: ErrorOrigin<Socket>) => void;

/** A listener with any parameters. */
export type Callable = (...args: never[]) => unknown;

/** An event: its name, then its arguments. */
type NamedEvent = readonly [string, ...unknown[]];

/** How the server calls application code: {@link plainCalls} until the first `io.onError()`, then {@link GuardedCalls}. */
export interface UserCode {
  /** Calls the listeners of an event. */
  emit(emitter: EventEmitter, event: NamedEvent, source: ErrorSource, socket: object | undefined): void;
  /** The same, and returns the promises that the listeners have returned. */
  emitAndCollect(
    emitter: EventEmitter,
    event: NamedEvent,
    source: ErrorSource,
    socket: object | undefined,
  ): PromiseLike<unknown>[];
  /** Calls listeners of every event; adding or removing some meanwhile makes no difference. */
  callAny(listeners: readonly Callable[], socket: object, event: NamedEvent): void;
  /** Calls middlewares in turn. `failed` gets the `next` of a middleware that fails before calling it. */
  runMiddlewares<Subject>(
    middlewares: readonly Middleware<Subject>[],
    subject: Subject,
    origin: ErrorOrigin<object>,
    failed: (next: (error?: Error) => void) => void,
    done: (error?: Error) => void,
  ): void;
  /** Calls the callback of an event that asked for an answer. */
  acknowledge(ack: AckCallback, self: object | undefined, args: unknown[], origin: ErrorOrigin<object>): void;
  /** Watches what the application has returned; if it is a promise that rejects, reports the error and calls `rejected`. */
  watch(result: unknown, origin: ErrorOrigin<object>, rejected: () => void): void;
  /** Reports an error that is not thrown to anyone else. */
  report(error: unknown, origin: ErrorOrigin<object>): void;
  /** Reports an error that is also thrown to the caller. */
  reportThrown(error: unknown, origin: ErrorOrigin<object>): void;
}

/** Errors surface as usual, as `uncaughtException` or `unhandledRejection`. */
export const plainCalls: UserCode = {
  emit(emitter, event) {
    // Sockets and namespaces have an `emit` of their own, which sends.
    const { prototype } = EventEmitter;
    // Most events have one argument, or one and a callback.
    if (event.length === 2) prototype.emit.call(emitter, event[0], event[1]);
    else if (event.length === 3) prototype.emit.call(emitter, event[0], event[1], event[2]);
    else prototype.emit.apply(emitter, event as [string, ...unknown[]]);
  },
  emitAndCollect(emitter, [name, ...args]) {
    const results = emitter
      .rawListeners(name)
      .map((listener): unknown => Reflect.apply(listener as Callable, emitter, args));
    return results.filter(isThenable);
  },
  callAny(listeners, socket, event) {
    for (const listener of listeners.slice()) Reflect.apply(listener, socket, event);
  },
  runMiddlewares(middlewares, subject, _origin, _failed, done) {
    runMiddlewares(middlewares, subject, done);
  },
  acknowledge(ack, self, args) {
    ack.apply(self, args);
  },
  watch() {},
  report: rethrow,
  reportThrown() {},
};

/** Errors go to the handlers only, and the other listeners of the same event are called. */
export class GuardedCalls implements UserCode {
  readonly #handlers: ErrorHandler<never>[] = [];

  add(handler: ErrorHandler<never>): void {
    this.#handlers.push(handler);
  }

  emit(emitter: EventEmitter, event: NamedEvent, source: ErrorSource, socket: object | undefined): void {
    const [name, ...args] = event;
    const origin = { source, event: String(name), socket };
    for (const listener of emitter.rawListeners(name))
      this.#call(listener as Callable, emitter, args, origin);
  }

  emitAndCollect(
    emitter: EventEmitter,
    [name, ...args]: NamedEvent,
    source: ErrorSource,
    socket: object | undefined,
  ): PromiseLike<unknown>[] {
    const origin = { source, event: String(name), socket };
    const results = emitter
      .rawListeners(name)
      .map((listener) => this.#call(listener as Callable, emitter, args, origin));
    return results.filter((result) => result !== undefined);
  }

  callAny(listeners: readonly Callable[], socket: object, event: NamedEvent): void {
    const origin = { source: "listener", event: String(event[0]), socket } as const;
    for (const listener of listeners.slice()) this.#call(listener, socket, event, origin);
  }

  runMiddlewares<Subject>(
    middlewares: readonly Middleware<Subject>[],
    subject: Subject,
    origin: ErrorOrigin<object>,
    failed: (next: (error?: Error) => void) => void,
    done: (error?: Error) => void,
  ): void {
    const guarded = middlewares.map((middleware) => this.#guard(middleware, origin, failed));
    runMiddlewares(guarded, subject, done);
  }

  acknowledge(
    ack: AckCallback,
    self: object | undefined,
    args: unknown[],
    origin: ErrorOrigin<object>,
  ): void {
    this.#call(ack, self, args, origin);
  }

  watch(result: unknown, origin: ErrorOrigin<object>, rejected: () => void): void {
    if (!isThenable(result)) return;
    void result.then(undefined, (error: unknown) => {
      this.report(error, origin);
      rejected();
    });
  }

  report(error: unknown, origin: ErrorOrigin<object>): void {
    for (const handler of this.#handlers) {
      try {
        handler(error, origin as ErrorOrigin<never>);
      } catch (thrown) {
        rethrow(thrown);
      }
    }
  }

  reportThrown(error: unknown, origin: ErrorOrigin<object>): void {
    this.report(error, origin);
  }

  #guard<Subject>(
    middleware: Middleware<Subject>,
    origin: ErrorOrigin<object>,
    failed: (next: (error?: Error) => void) => void,
  ): Middleware<Subject> {
    return (subject, next) => {
      let hasDecided = false;
      const decide = (error?: Error): void => {
        hasDecided = true;
        next(error);
      };
      this.#call(middleware, undefined, [subject, decide], origin, () => {
        if (!hasDecided) failed(decide);
      });
    };
  }

  /**
   * Calls a function; `failed` is called after its error was reported, thrown or rejected.
   *
   * @returns a promise of its end, if the function has returned one
   */
  #call(
    run: Callable,
    self: unknown,
    args: readonly unknown[],
    origin: ErrorOrigin<object>,
    failed?: () => void,
  ): PromiseLike<unknown> | undefined {
    const fail = (error: unknown): void => {
      this.report(error, origin);
      failed?.();
    };
    try {
      const result: unknown = Reflect.apply(run, self, args);
      if (isThenable(result)) return result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
    return undefined;
  }
}

/**
 * Wraps the callback of an event so that it is called in the way that applies when the answer arrives: `io.onError()` may have been
 * called since the question.
 */
export function ackOf(
  server: { readonly _userCode: UserCode },
  ack: AckCallback,
  event: string | symbol,
  socket: object | undefined,
  self: object | undefined = socket,
): AckCallback {
  return (...args) => {
    server._userCode.acknowledge(ack, self, args, {
      source: "acknowledgement",
      event: String(event),
      socket,
    });
  };
}

/**
 * Calls `done` once all promises are settled. A rejection stays what it is: one that nobody else handles surfaces as
 * `unhandledRejection`.
 */
export function whenSettled(promises: readonly PromiseLike<unknown>[], done: () => void): void {
  let left = promises.length;
  const settled = (): void => {
    if (--left === 0) done();
  };
  for (const promise of promises) {
    void promise.then(settled, (error: unknown) => {
      settled();
      throw error;
    });
  }
}
