import assert from "node:assert/strict";
import { Clock, Deadline } from "../src/loop/clock.ts";
import { DrivenLoop } from "./driven-loop.ts";

class Noted extends Deadline {
  readonly #callback: () => void;

  constructor(callback: () => void) {
    super();
    this.#callback = callback;
  }

  onExpired(): void {
    this.#callback();
  }
}

describe("clock", () => {
  let loop: DrivenLoop;
  let clock: Clock;
  let log: string[];

  beforeEach(() => {
    loop = new DrivenLoop();
    clock = new Clock(loop);
    log = [];
  });

  const noted = (name: string): Noted => new Noted(() => log.push(`${name} at ${loop.now()}`));

  it("expires deadlines of one duration in the order they were scheduled", () => {
    for (const name of ["a", "b", "c"]) {
      clock.schedule(noted(name), 1000);
      loop.advance(100);
    }
    loop.advance(10_000);
    assert.deepEqual(log, ["a at 1000", "b at 1100", "c at 1200"]);
  });

  it("expires deadlines of several durations in the order of their times", () => {
    clock.schedule(noted("late"), 500);
    clock.schedule(noted("early"), 200);
    loop.advance(500);
    assert.deepEqual(log, ["early at 200", "late at 500"]);
  });

  it("expires no deadline before its time", () => {
    clock.schedule(noted("a"), 1000);
    loop.advance(980);
    assert.deepEqual(log, []);
    loop.advance(20);
    assert.deepEqual(log, ["a at 1000"]);
  });

  it("expires deadlines together that are at most 20 ms apart", () => {
    clock.schedule(noted("a"), 25_000);
    loop.advance(20);
    clock.schedule(noted("b"), 25_000);
    loop.advance(1);
    clock.schedule(noted("c"), 25_000);
    loop.advance(25_000);
    assert.deepEqual(log, ["a at 25000", "b at 25000", "c at 25021"]);
  });

  it("moves a deadline that is scheduled again", () => {
    const moved = noted("moved");
    clock.schedule(moved, 1000);
    loop.advance(600);
    clock.schedule(noted("other"), 1000);
    clock.schedule(moved, 1000);
    loop.advance(2000);
    assert.deepEqual(log, ["other at 1600", "moved at 1600"]);
  });

  it("moves a deadline to another duration", () => {
    const moved = noted("moved");
    clock.schedule(moved, 1000);
    clock.schedule(moved, 300);
    loop.advance(2000);
    assert.deepEqual(log, ["moved at 300"]);
  });

  it("lets a blocked loop read before a deadline expires", () => {
    const answered = noted("answered");
    clock.schedule(answered, 1000);
    clock.schedule(noted("silent"), 1000);
    loop.block(5000);
    assert.deepEqual(log, []);
    // What was read.
    clock.cancel(answered);
    loop.tick();
    loop.tick();
    assert.deepEqual(log, []);
    loop.tick();
    assert.deepEqual(log, ["silent at 5000"]);
  });

  it("lets a loop read that was blocked until just before a deadline", () => {
    const answered = noted("answered");
    clock.schedule(answered, 1000);
    clock.schedule(noted("silent"), 1000);
    loop.block(1005);
    assert.deepEqual(log, []);
    // What was read.
    clock.cancel(answered);
    loop.tick();
    assert.deepEqual(log, ["silent at 1005"]);
  });

  for (const [place, index] of [
    ["first", 0],
    ["middle", 1],
    ["last", 2],
  ] as const) {
    it(`cancels the ${place} of three`, () => {
      const all = ["a", "b", "c"].map(noted);
      for (const deadline of all) clock.schedule(deadline, 100);
      clock.cancel(all[index]!);
      loop.advance(100);
      const rest = ["a at 100", "b at 100", "c at 100"];
      rest.splice(index, 1);
      assert.deepEqual(log, rest);
    });
  }

  it("ignores a cancel of a deadline that is not scheduled", () => {
    const deadline = noted("a");
    clock.cancel(deadline);
    clock.schedule(deadline, 100);
    clock.cancel(deadline);
    clock.cancel(deadline);
    loop.advance(1000);
    assert.deepEqual(log, []);
    assert.equal(clock.timers, 0);
  });

  it("has one timer for each duration, whatever the number of deadlines", () => {
    for (let count = 0; count < 1000; count++) {
      clock.schedule(noted("a"), 25_000);
      clock.schedule(noted("b"), 20_000);
    }
    assert.equal(loop.timers, 2);
    assert.equal(clock.timers, 2);
  });

  it("creates no new timer for a deadline that is moved repeatedly", () => {
    const deadline = noted("a");
    for (let round = 0; round < 100; round++) {
      clock.schedule(deadline, 25_000);
      loop.advance(10);
      assert.equal(loop.timers, 1);
    }
  });

  it("waits for the rest of the time when the first deadline was cancelled", () => {
    const first = noted("first");
    clock.schedule(first, 1000);
    loop.advance(400);
    clock.schedule(noted("second"), 1000);
    clock.cancel(first);
    loop.advance(999);
    assert.deepEqual(log, []);
    loop.advance(1);
    assert.deepEqual(log, ["second at 1400"]);
  });

  it("leaves no timer behind once the last deadline has expired", () => {
    clock.schedule(noted("a"), 1000);
    loop.advance(1000);
    assert.equal(loop.timers, 0);
    assert.equal(clock.timers, 0);
  });

  it("lets a deadline schedule itself while it expires", () => {
    const deadline = new Noted(() => {
      log.push(`at ${loop.now()}`);
      clock.schedule(deadline, 1000);
    });
    clock.schedule(deadline, 1000);
    loop.advance(3500);
    assert.deepEqual(log, ["at 1000", "at 2000", "at 3000"]);
  });

  it("lets a deadline cancel the next while it expires", () => {
    const next = noted("next");
    clock.schedule(new Noted(() => clock.cancel(next)), 1000);
    clock.schedule(next, 1000);
    loop.advance(5000);
    assert.deepEqual(log, []);
  });

  it("expires the others when one throws", () => {
    const error = new Error("on purpose");
    clock.schedule(
      new Noted(() => {
        throw error;
      }),
      1000,
    );
    clock.schedule(noted("other"), 1000);
    loop.advance(1001);
    assert.deepEqual(log, ["other at 1001"]);
    assert.deepEqual(loop.uncaught, [error]);
  });

  it("requests another timer when one has not fired, and lets the loop read first", () => {
    clock.schedule(noted("a"), 1000);
    loop.lose();
    loop.advance(5000);
    clock.schedule(noted("b"), 1000);
    loop.advance(10_000);
    assert.deepEqual(log, ["a at 5001", "b at 6000"]);
  });

  it("keeps a single timer when an abandoned one fires late", () => {
    clock.schedule(noted("a"), 1000);
    loop.stall(5000);
    clock.schedule(noted("b"), 1000);
    loop.advance(10_000);
    assert.deepEqual(log, ["a at 5001", "b at 6000"]);
    assert.equal(loop.timers, 0);
  });

  it("forgets the recent time also when the timer for it was lost", () => {
    assert.equal(clock.recent(), 0);
    loop.lose();
    loop.advance(5000);
    clock.schedule(noted("a"), 1000);
    assert.equal(clock.recent(), 5000);
  });

  it("keeps a duration beyond the longest of Node's timers", () => {
    const days = 30 * 24 * 3600 * 1000;
    clock.schedule(noted("a"), days);
    loop.advance(days - 21);
    assert.deepEqual(log, []);
    loop.advance(21);
    assert.deepEqual(log, [`a at ${days}`]);
  });
});
