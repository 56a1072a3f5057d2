import assert from "node:assert/strict";
import { Turns } from "../src/loop/turns.ts";
import type { Backlog } from "../src/loop/turns.ts";
import { DrivenLoop } from "./driven-loop.ts";

/** A backlog that takes this many ms, and so more than a slice each time. */
function backlogOf(loop: DrivenLoop, ms: number, onFinished: () => void = () => {}): Backlog {
  let left = ms;
  return {
    work: (isOver) => {
      do loop.spend(1);
      while (--left > 0 && !isOver());
      return left > 0;
    },
    finish: onFinished,
    addEnd: () => {},
  };
}

describe("Turns", () => {
  it("asks for one turn of the loop, also when the end of one backlog adds the next", () => {
    const loop = new DrivenLoop();
    const turns = new Turns(loop);
    let finished = 0;
    const next = (): void => {
      finished++;
      if (finished < 5) turns.add({}, backlogOf(loop, 7, next));
    };
    turns.add({}, backlogOf(loop, 7, next));
    const asked: number[] = [];
    while (loop.immediates > 0) {
      asked.push(loop.immediates);
      loop.tick();
    }
    assert.equal(finished, 5);
    assert.deepEqual(
      asked,
      asked.map(() => 1),
    );
  });

  it("gives each of several backlogs a slice before any has its next one", () => {
    const loop = new DrivenLoop();
    const turns = new Turns(loop);
    const finished: string[] = [];
    turns.add(
      {},
      backlogOf(loop, 30, () => finished.push("long")),
    );
    turns.add(
      {},
      backlogOf(loop, 5, () => finished.push("short")),
    );
    while (loop.immediates > 0) loop.tick();
    assert.deepEqual(finished, ["short", "long"]);
  });
});
