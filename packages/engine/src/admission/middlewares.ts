import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { rethrow } from "../host/rethrow.ts";
import type { EngineRequest } from "../http/query.ts";
import { isThenable } from "../loop/thenable.ts";

/** A middleware as for Express: calls `next` once, with an error to refuse the request. */
export type Middleware = {
  // A method, so that a middleware typed for Express, which expects more of a request, is accepted too.
  run(req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): unknown;
}["run"];

/**
 * Runs the middlewares one after the other. A thrown error and a rejected promise count as `next(error)`; whatever a
 * middleware does after that, or after its first `next`, is ignored. A middleware that never calls `next` ends the chain.
 * Meanwhile `req.res` is the response.
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  req: EngineRequest,
  res: ServerResponse,
  done: (error?: unknown) => void,
): void {
  new Chain([...middlewares], req, res, done).run();
}

class Chain {
  readonly #middlewares: readonly Middleware[];
  readonly #req: EngineRequest;
  readonly #res: ServerResponse;
  readonly #done: (error?: unknown) => void;
  #index = 0;

  constructor(
    middlewares: readonly Middleware[],
    req: EngineRequest,
    res: ServerResponse,
    done: (error?: unknown) => void,
  ) {
    this.#middlewares = middlewares;
    this.#req = req;
    this.#res = res;
    this.#done = done;
    req.res = res;
  }

  run(): void {
    let context: AsyncResource | undefined;
    // Each in the context of the one before it. A loop instead of recursion: there may be thousands.
    while (this.#index < this.#middlewares.length) {
      const middleware = this.#middlewares[this.#index++]!;
      context =
        context === undefined
          ? this.#step(middleware)
          : context.runInAsyncScope(() => this.#step(middleware));
      if (context === undefined) return;
    }
    if (context === undefined) this.#finish();
    else context.runInAsyncScope(() => this.#finish());
  }

  /** Returns the async context in which the next one runs now, or nothing if this one calls `next` later, or never. */
  #step(middleware: Middleware): AsyncResource | undefined {
    let settled = false;
    let returned = false;
    let passed: AsyncResource | undefined;
    const next = (error?: unknown): void => {
      if (settled) return;
      settled = true;
      // What follows must not throw into the middleware.
      if (error) this.#finish(error);
      else if (returned) this.#resume();
      else passed = new AsyncResource("TIDEWIRE");
    };
    const fail = (error: unknown): void =>
      next(error || new Error(`A middleware failed without a reason: ${String(error)}`));
    try {
      const result: unknown = middleware(this.#req, this.#res, next);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
    returned = true;
    return passed;
  }

  #resume(): void {
    try {
      this.run();
    } catch (error) {
      rethrow(error);
    }
  }

  #finish(error?: unknown): void {
    // Sessions keep their first request, and need not keep its response.
    this.#req.res = null;
    this.#done(error);
  }
}
