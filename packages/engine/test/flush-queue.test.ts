import assert from "node:assert/strict";
import { FlushQueue } from "../src/session/flush-queue.ts";
import { DrivenLoop } from "./driven-loop.ts";

type Session = { flush: () => void };

const noted = (flush: () => void): Session => ({ flush });

describe("flush queue", () => {
  let loop: DrivenLoop;
  let queue: FlushQueue<Session>;
  let log: string[];

  beforeEach(() => {
    loop = new DrivenLoop();
    queue = new FlushQueue(
      {
        flush: (session) => session.flush(),
        deliver() {},
        queue() {},
        stalled() {},
        areWatched: () => false,
      },
      loop,
    );
    log = [];
  });

  it("flushes nothing before the end of the tick", () => {
    queue.add(noted(() => log.push("a")));
    assert.deepEqual(log, []);
    loop.tick();
    assert.deepEqual(log, ["a"]);
  });

  it("flushes all sessions of a tick in one pass, in the order they were added", () => {
    for (const name of ["a", "b", "c"]) queue.add(noted(() => log.push(name)));
    assert.equal(loop.immediates, 1);
    loop.tick();
    assert.deepEqual(log, ["a", "b", "c"]);
    assert.equal(loop.immediates, 0);
  });

  it("flushes a session again in the next tick", () => {
    const session = noted(() => log.push("a"));
    for (let tick = 0; tick < 3; tick++) {
      queue.add(session);
      loop.tick();
    }
    assert.deepEqual(log, ["a", "a", "a"]);
  });

  it("leaves what is added during a pass to the next one", () => {
    const late = noted(() => log.push("late"));
    queue.add(noted(() => queue.add(late)));
    loop.tick();
    assert.deepEqual(log, []);
    loop.tick();
    assert.deepEqual(log, ["late"]);
  });

  it("accepts a session that is added while it is flushed", () => {
    const session: Session = noted(() => {
      if (log.push("a") === 1) queue.add(session);
    });
    queue.add(session);
    loop.tick();
    loop.tick();
    loop.tick();
    assert.deepEqual(log, ["a", "a"]);
  });

  it("schedules another pass when a session opens long after one that did not run", () => {
    queue.add(noted(() => log.push("a")));
    loop.lose();
    loop.advance(1001);
    queue.revive();
    loop.tick();
    assert.deepEqual(log, ["a"]);
  });

  it("schedules no other pass while one may still run", () => {
    queue.add(noted(() => log.push("a")));
    queue.revive();
    assert.equal(loop.immediates, 1);
  });

  it("lets the loop have a turn after 500 sessions", () => {
    for (let n = 0; n < 1200; n++) queue.add(noted(() => log.push("flushed")));
    const counts = [];
    for (let tick = 0; tick < 4; tick++) {
      loop.tick();
      counts.push(log.length);
    }
    assert.deepEqual(counts, [500, 1000, 1200, 1200]);
    assert.equal(loop.immediates, 0);
  });

  it("flushes the others when one throws", () => {
    const error = new Error("on purpose");
    queue.add(
      noted(() => {
        throw error;
      }),
    );
    queue.add(noted(() => log.push("other")));
    loop.tick();
    assert.deepEqual(log, ["other"]);
    assert.deepEqual(loop.uncaught, [error]);
  });
});
