import assert from "node:assert/strict";
import { Backoff } from "../src/supervisor/backoff.ts";

describe("the pause before a worker is started again", () => {
  it("doubles while the worker keeps ending, up to half a minute", () => {
    const backoff = new Backoff();
    const delays = Array.from({ length: 12 }, () => backoff.next(50));
    assert.deepEqual(delays, [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  it("is none again after the worker has run for ten seconds", () => {
    const backoff = new Backoff();
    assert.deepEqual(
      [backoff.next(0), backoff.next(9_999), backoff.next(10_000), backoff.next(0)],
      [0, 100, 0, 100],
    );
  });
});
