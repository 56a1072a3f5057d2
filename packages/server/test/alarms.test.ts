import assert from "node:assert/strict";
import { mock } from "node:test";
import fc from "fast-check";
import { Alarm, Alarms } from "../src/auth/alarms.ts";

const NOW = 1_764_000_000_000;
const DAY = 24 * 60 * 60 * 1000;

class Noted extends Alarm {
  readonly name: string;
  readonly log: string[];

  constructor(name: string, log: string[]) {
    super();
    this.name = name;
    this.log = log;
  }

  onDue(): void {
    this.log.push(`${this.name} at ${Date.now() - NOW}`);
  }
}

describe("alarms", () => {
  let log: string[];
  let timers: number[];
  let alarms: Alarms;

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
    log = [];
    timers = [];
    alarms = new Alarms((run, ms) => {
      timers.push(ms);
      setTimeout(run, ms);
    });
  });

  afterEach(() => mock.timers.reset());

  function set(name: string, after: number): Noted {
    const alarm = new Noted(name, log);
    alarms.set(alarm, NOW + after);
    return alarm;
  }

  it("happen at their dates, whatever the order in which they were set", () => {
    for (const after of [300, 100, 200, 100.5, 400]) set(String(after), after);
    mock.timers.tick(99);
    assert.deepEqual(log, []);
    for (let i = 0; i < 301; i++) mock.timers.tick(1);
    assert.deepEqual(log, ["100 at 100", "100.5 at 101", "200 at 200", "300 at 300", "400 at 400"]);
    assert.equal(alarms.size, 0);
  });

  it("can be moved and cancelled", () => {
    const moved = set("moved", 100);
    const cancelled = set("cancelled", 100);
    alarms.set(moved, NOW + 200);
    alarms.cancel(cancelled);
    alarms.cancel(cancelled);
    for (let i = 0; i < 250; i++) mock.timers.tick(1);
    assert.deepEqual(log, ["moved at 200"]);
  });

  it("happen soon when their dates are over, but not at once", () => {
    set("over", -DAY);
    assert.deepEqual(log, []);
    mock.timers.tick(1);
    assert.deepEqual(log, ["over at 1"]);
  });

  it("may be further away than a timer can wait", () => {
    set("far", 30 * DAY);
    assert.ok(30 * DAY > 2 ** 31);
    while (log.length === 0) mock.timers.tick(60_000);
    assert.deepEqual(log, [`far at ${30 * DAY}`]);
    assert.equal(timers.length, (30 * DAY) / 60_000);
  });

  it("share one timer", () => {
    for (let i = 0; i < 1000; i++) set(String(i), DAY + i * 977);
    assert.deepEqual(timers, [60_000]);
  });

  it("need no timer when none is set", () => {
    alarms.cancel(set("cancelled", 10 * 60_000));
    mock.timers.tick(60_000);
    assert.equal(timers.length, 1);
  });

  it("are at most a minute late when the clock is set forward, or the machine was asleep", () => {
    set("late", 10 * 60_000);
    mock.timers.setTime(NOW + DAY);
    mock.timers.tick(60_000);
    assert.deepEqual(log, [`late at ${DAY + 60_000}`]);
  });

  it("keep their dates when one of them throws", () => {
    class Throwing extends Alarm {
      onDue(): void {
        throw new Error("of a listener");
      }
    }
    alarms.set(new Throwing(), NOW + 10);
    set("other", 10);
    assert.throws(() => mock.timers.tick(10), { message: "of a listener" });
    mock.timers.tick(1);
    assert.deepEqual(log, ["other at 11"]);
  });

  it("start again after fake timers have swallowed their timer", () => {
    set("swallowed", 100);
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW + 10_000 });
    set("next", 10_100);
    mock.timers.tick(1);
    mock.timers.tick(99);
    assert.deepEqual(log, ["swallowed at 10001", "next at 10100"]);
  });

  it("happen in order in any program of setting, moving and cancelling", () => {
    const step = fc.tuple(fc.nat(30), fc.option(fc.nat(5000), { freq: 4 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        mock.timers.setTime(NOW);
        log.length = 0;
        const own = new Alarms((run, ms) => void setTimeout(run, ms));
        const all = Array.from({ length: 31 }, (_, i) => new Noted(String(i), log));
        const expected = new Map<number, number>();
        for (const [i, after] of steps) {
          if (after === null) own.cancel(all[i]!);
          else own.set(all[i]!, NOW + after);
          if (after === null) expected.delete(i);
          else expected.set(i, Math.max(1, after));
        }
        assert.equal(own.size, expected.size);
        for (let i = 0; i <= 5000; i++) mock.timers.tick(1);
        assert.deepEqual([...log].sort(), [...expected].map(([i, after]) => `${i} at ${after}`).sort());
        const times = log.map((line) => Number(line.split(" ")[2]));
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
      }),
      { numRuns: 30 },
    );
  });
});
