import type { RequestView, ResponseView } from "./host/host.ts";

/** A middleware of Express's form: calls `next` once, with an error to refuse the request. */
export type Middleware = (
  req: RequestView,
  res: ResponseView,
  next: (error?: unknown) => void,
) => void | Promise<void>;

/**
 * Runs the middlewares one after the other. A thrown error and a rejected promise count as `next(error)`; a second `next`
 * of the same middleware is ignored. One that answers the request itself and never calls `next` ends the chain.
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  req: RequestView,
  res: ResponseView,
  done: (error?: unknown) => void,
): void {
  const chain = [...middlewares];
  const run = (index: number): void => {
    const middleware = chain[index];
    if (middleware === undefined) {
      done();
      return;
    }
    let settled = false;
    const next = (error?: unknown): void => {
      if (settled) return;
      settled = true;
      if (error) done(error);
      else run(index + 1);
    };
    const fail = (error: unknown): void =>
      next(error ?? new Error("A middleware was rejected without a reason"));
    let result: void | Promise<void>;
    try {
      result = middleware(req, res, next);
    } catch (error) {
      fail(error);
      return;
    }
    if (result instanceof Promise) result.catch(fail);
  };
  run(0);
}
