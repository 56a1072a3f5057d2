import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { runMiddlewares } from "../src/admission/middlewares.ts";
import type { Middleware } from "../src/admission/middlewares.ts";
import type { EngineRequest } from "../src/http/query.ts";

const request = (): EngineRequest =>
  Object.assign(new EventEmitter(), { headers: {} }) as unknown as EngineRequest;
const response = {} as ServerResponse;

/** How the chain ended: each time it did. */
function outcomes(...middlewares: Middleware[]): unknown[] {
  const ends: unknown[] = [];
  runMiddlewares(middlewares, request(), response, (error) => ends.push(error));
  return ends;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const failure = new Error("no");

describe("middlewares", () => {
  it("run one after the other, with the request and the response", () => {
    const log: unknown[] = [];
    const req = request();
    const note =
      (name: string): Middleware =>
      (...[given, res, next]) => {
        log.push([name, given === req, Object.is(res, response)]);
        next();
      };
    runMiddlewares([note("a"), note("b")], req, response, () => log.push("done"));
    assert.deepEqual(log, [["a", true, true], ["b", true, true], "done"]);
  });

  it("finish at once when there are none", () => {
    assert.deepEqual(outcomes(), [undefined]);
  });

  it("wait for a slow one", async () => {
    const ends = outcomes((_req, _res, next) => void setImmediate(next));
    assert.deepEqual(ends, []);
    await turn();
    assert.deepEqual(ends, [undefined]);
  });

  it("end with the first error passed to next", () => {
    const never: Middleware = () => assert.fail("must not run");
    assert.deepEqual(
      outcomes((_req, _res, next) => next(failure), never),
      [failure],
    );
  });

  it("end with the value one throws", () => {
    const ends = outcomes(() => {
      throw failure;
    });
    assert.deepEqual(ends, [failure]);
  });

  it("end with the value one rejects with", async () => {
    const ends = outcomes(() => Promise.reject(failure));
    await turn();
    assert.deepEqual(ends, [failure]);
  });

  it("end with an error when one throws nothing", () => {
    const ends = outcomes(() => {
      // oxlint-disable-next-line no-throw-literal -- that is the case
      throw undefined;
    });
    assert.ok(ends[0] instanceof Error);
  });

  it("ignore a second next", () => {
    assert.deepEqual(
      outcomes((_req, _res, next) => {
        next();
        next(failure);
        next();
      }),
      [undefined],
    );
  });

  it("ignore an error thrown after next", () => {
    const ends = outcomes((_req, _res, next) => {
      next();
      throw failure;
    });
    assert.deepEqual(ends, [undefined]);
  });

  it("never end when one neither calls next nor fails", async () => {
    const ends = outcomes(() => {});
    await turn();
    assert.deepEqual(ends, []);
  });

  it("do not see one that is added while they run", () => {
    const all: Middleware[] = [];
    all.push((_req, _res, next) => {
      all.push(() => assert.fail("must not run"));
      next();
    });
    let ended = 0;
    runMiddlewares(all, request(), response, () => ended++);
    assert.equal(ended, 1);
  });

  it("can be ten thousand", () => {
    const all = Array<Middleware>(10_000).fill((_req, _res, next) => next());
    assert.deepEqual(outcomes(...all), [undefined]);
  });
});
