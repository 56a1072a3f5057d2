import assert from "node:assert/strict";
import { FlushQueue } from "../src/session/flush-queue.ts";
import { DrivenLoop } from "./driven-loop.ts";

class Noted {
  flushScheduled = false;
  readonly #flush: () => void;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  flush(): void {
    this.#flush();
  }
}

describe("flush queue", () => {
  let loop: DrivenLoop;
  let queue: FlushQueue;
  let log: string[];

  beforeEach(() => {
    loop = new DrivenLoop();
    queue = new FlushQueue(loop);
    log = [];
  });

  it("flushes nothing before the end of the tick", () => {
    queue.add(new Noted(() => log.push("a")));
    assert.deepEqual(log, []);
    loop.tick();
    assert.deepEqual(log, ["a"]);
  });

  it("flushes a session once per tick, however often it was added", () => {
    const session = new Noted(() => log.push("a"));
    for (let count = 0; count < 5; count++) queue.add(session);
    loop.tick();
    assert.deepEqual(log, ["a"]);
  });

  it("flushes all sessions of a tick in one pass, in the order they were added", () => {
    for (const name of ["a", "b", "c"]) queue.add(new Noted(() => log.push(name)));
    assert.equal(loop.immediates, 1);
    loop.tick();
    assert.deepEqual(log, ["a", "b", "c"]);
    assert.equal(loop.immediates, 0);
  });

  it("flushes a session again in the next tick", () => {
    const session = new Noted(() => log.push("a"));
    for (let tick = 0; tick < 3; tick++) {
      queue.add(session);
      loop.tick();
    }
    assert.deepEqual(log, ["a", "a", "a"]);
  });

  it("leaves what is added during a pass to the next one", () => {
    const late = new Noted(() => log.push("late"));
    queue.add(new Noted(() => queue.add(late)));
    loop.tick();
    assert.deepEqual(log, []);
    loop.tick();
    assert.deepEqual(log, ["late"]);
  });

  it("takes a session back that is added while it is flushed", () => {
    const session = new Noted(() => {
      if (log.push("a") === 1) queue.add(session);
    });
    queue.add(session);
    loop.tick();
    loop.tick();
    loop.tick();
    assert.deepEqual(log, ["a", "a"]);
  });

  it("asks for another pass when a session opens long after one that has not come", () => {
    queue.add(new Noted(() => log.push("a")));
    loop.lose();
    loop.advance(1001);
    queue.revive();
    loop.tick();
    assert.deepEqual(log, ["a"]);
  });

  it("asks for no other pass while one may still come", () => {
    queue.add(new Noted(() => log.push("a")));
    queue.revive();
    assert.equal(loop.immediates, 1);
  });

  it("flushes the others when one throws", () => {
    const error = new Error("on purpose");
    queue.add(
      new Noted(() => {
        throw error;
      }),
    );
    queue.add(new Noted(() => log.push("other")));
    loop.tick();
    assert.deepEqual(log, ["other"]);
    assert.deepEqual(loop.uncaught, [error]);
  });
});
