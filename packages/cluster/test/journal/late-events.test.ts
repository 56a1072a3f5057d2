import assert from "node:assert/strict";
import { LateEvents } from "../../src/journal/late-events.ts";

const event = { target: { rooms: new Set(["room"]), except: new Set(["x"]), flags: {} }, parts: ["2[]"] };

function exceptOf(late: LateEvents, publisher: string, seq: number): string[] {
  return [...late.without(event, publisher, seq).target.except];
}

describe("late events", () => {
  it("are not sent to clients that have them already", () => {
    const late = new LateEvents();
    late.add("one", "A", 5);
    late.add("other", "A", 4);
    assert.deepEqual(exceptOf(late, "A", 4), ["x", "one", "other"]);
    assert.deepEqual(exceptOf(late, "A", 5), ["x", "one"]);
    assert.equal(late.without(event, "A", 6), event);
    assert.equal(late.without(event, "B", 1), event);
  });

  it("are nobody's when the clients have left", () => {
    const late = new LateEvents();
    late.add("one", "A", 5);
    late.delete("one", "A");
    assert.equal(late.without(event, "A", 5), event);
  });
});
