import assert from "node:assert/strict";
import { RecoveryLog } from "../src/recovery/log.ts";
import type { LoggedEvent } from "../src/recovery/log.ts";
import { offsetOf, positionOf } from "../src/recovery/offset.ts";

interface NamedEvent extends LoggedEvent {
  readonly name: string;
}

function event(name: string, bytes: number = 1, at: number = 0): NamedEvent {
  return { name, bytes, at };
}

function names(events: Iterable<NamedEvent>): string[] {
  return Array.from(events, ({ name }) => name);
}

describe("the log of connection state recovery", () => {
  it("gives the events behind a position", () => {
    const log = new RecoveryLog<NamedEvent>(10, 100);
    for (const name of "abc") log.append(event(name));
    assert.equal(log.position, 13);
    assert.deepEqual(
      [10, 11, 13].map((position) => names(log.between(position))),
      [["a", "b", "c"], ["b", "c"], []],
    );
    assert.deepEqual(names(log.between(10, 12)), ["a", "b"]);
  });

  it("drops the oldest events when there are too many bytes", () => {
    const log = new RecoveryLog<NamedEvent>(10, 5);
    for (const [at, name] of ["a", "b", "c"].entries()) log.append(event(name, 2, at));
    assert.deepEqual([log.size, log.bytes, log.droppedUntil], [2, 4, 0]);
    assert.deepEqual([log.reaches(10), log.reaches(11)], [false, true]);
    assert.deepEqual(names(log.between(10)), ["b", "c"]);
  });

  it("drops an event that is larger than the limit", () => {
    const log = new RecoveryLog<NamedEvent>(0, 5);
    log.append(event("a", 6, 7));
    assert.deepEqual([log.position, log.size, log.bytes, log.droppedUntil], [1, 0, 0, 7]);
  });

  it("drops the events from before a time", () => {
    const log = new RecoveryLog<NamedEvent>(0, 100);
    for (const [at, name] of ["a", "b", "c"].entries()) log.append(event(name, 1, at));
    log.dropBefore(2);
    assert.deepEqual(names(log.between(0)), ["c"]);
    log.clear();
    assert.deepEqual([log.size, log.bytes, log.position], [0, 0, 3]);
  });

  it("keeps its positions however many events have come and gone", () => {
    const log = new RecoveryLog<NamedEvent>(0, 10);
    for (let i = 1; i <= 5000; i++) log.append(event(String(i)));
    assert.deepEqual([log.position, log.size], [5000, 10]);
    assert.deepEqual(names(log.between(4997)), ["4998", "4999", "5000"]);
    assert.ok(log.reaches(4990) && !log.reaches(4989));
  });
});

describe("offsets", () => {
  it("are positions in seven characters", () => {
    for (const position of [0, 63, 64, 1_800_000_000_000, 64 ** 7 - 1]) {
      const offset = offsetOf(position);
      assert.match(offset, /^[\w-]{7}$/);
      assert.equal(positionOf(offset), position);
    }
  });

  it("are distinguished from other texts", () => {
    assert.deepEqual(["", "hello", "hello, world", "hel lo!"].map(positionOf), [
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
