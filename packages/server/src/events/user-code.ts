import type { AckCallback } from "./acks.ts";
import { rethrowLater } from "../errors.ts";
import type { Middleware } from "./middleware.ts";

/** Which code of the application has failed. */
export type ErrorSource =
  /** a listener of a namespace for `connect` or `connection`, of its adapter for a socket that joins, or what decides about namespaces */
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

/** Receives what code of the application throws, or rejects with. */
export type ErrorHandler<Socket> = (error: unknown, origin: ErrorOrigin<Socket>) => void;

/** A listener, whatever it takes. */
export type Callable = (...args: never[]) => unknown;

/**
 * Calls code of the application. Without a handler its errors take their usual road, to `uncaughtException` or
 * `unhandledRejection`; with one, they go there and nowhere else.
 */
export class UserCode {
  private readonly handlers: ErrorHandler<never>[] = [];
  /** Whether errors go to a handler. */
  isGuarded: boolean = false;

  add(handler: ErrorHandler<never>): void {
    this.handlers.push(handler);
    this.isGuarded = true;
  }

  /** Hands an error to the handlers; without any it surfaces as an uncaught exception of the next tick. */
  report(error: unknown, origin: ErrorOrigin<object>): void {
    if (!this.isGuarded) return rethrowLater(error);
    for (const handler of this.handlers) {
      try {
        handler(error, origin as ErrorOrigin<never>);
      } catch (thrown) {
        rethrowLater(thrown);
      }
    }
  }

  /** For errors that go nowhere by themselves. */
  reportIfGuarded(error: unknown, origin: ErrorOrigin<object>): void {
    if (this.isGuarded) this.report(error, origin);
  }

  /** The callback of an event that asks for an answer. Its errors are reported if there is a handler by the time it is called. */
  guardAck(
    ack: AckCallback,
    event: string | symbol,
    socket: object | undefined,
    self: object | undefined = socket,
  ): AckCallback {
    return (...args) => {
      if (!this.isGuarded) return ack.apply(self, args);
      this.call(ack, self, args, { source: "acknowledgement", event: String(event), socket });
    };
  }

  /** Tells `rejected`, and the handlers, of a promise of the application that rejects. */
  guardPromise(result: unknown, origin: ErrorOrigin<object>, rejected: () => void): void {
    if (!this.isGuarded || !isThenable(result)) return;
    void result.then(undefined, (error: unknown) => {
      this.report(error, origin);
      rejected();
    });
  }

  /** The middleware with its errors reported; `failed` is called with its `next`, unless it has called that itself. */
  guardMiddleware<Subject>(
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
      this.call(middleware, undefined, [subject, decide], origin, () => {
        if (!hasDecided) failed(decide);
      });
    };
  }

  /** Calls each function; what one of them throws, or rejects with, is reported, and the others are called. */
  callAll(
    functions: readonly Callable[],
    self: unknown,
    args: readonly unknown[],
    origin: ErrorOrigin<object>,
  ): void {
    for (const each of functions) {
      this.call(each, self, args, origin);
    }
  }

  /** Calls a function; `failed` is told of its error, in whatever way it came, after the handlers were. */
  call(
    run: Callable,
    self: unknown,
    args: readonly unknown[],
    origin: ErrorOrigin<object>,
    failed?: () => void,
  ): void {
    const fail = (error: unknown): void => {
      this.report(error, origin);
      failed?.();
    };
    try {
      const result: unknown = Reflect.apply(run, self, args);
      if (isThenable(result)) void result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  }
}

/** Whether a value is a promise, of whatever kind. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
