import assert from "node:assert/strict";
import { Waiters } from "../../src/journal/waiters.ts";

describe("waiters", () => {
  it("are woken when their number is reached", async () => {
    const waiters = new Waiters();
    const waiting = [1, 2, 3].map((number) => waiters.wait(number, 60_000));
    waiters.wake(2);
    assert.deepEqual(await Promise.all(waiting.slice(0, 2)), [true, true]);
    assert.equal(waiters.size, 1);
    waiters.wake(7);
    assert.equal(await waiting[2], true);
  });

  it("are forgotten when they have waited for too long", async () => {
    const waiters = new Waiters();
    assert.equal(await waiters.wait(5, 4), false);
    assert.equal(waiters.size, 0);
  });
});
