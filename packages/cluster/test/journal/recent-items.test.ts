import assert from "node:assert/strict";
import { RecentItems } from "../../src/journal/recent-items.ts";

describe("recent items", () => {
  it("are those that follow each other", () => {
    const recent = new RecentItems();
    assert.deepEqual(recent.list(), { first: 0, items: [] });
    recent.add(["a"], 1);
    recent.add(["c", "d"], 3);
    recent.add(["e"], 5);
    assert.deepEqual(recent.list(), { first: 3, items: ["c", "d", "e"] });
  });

  it("are forgotten when they are too many", () => {
    const recent = new RecentItems();
    const large = "x".repeat(3 * 1024 * 1024);
    recent.add([large], 1);
    recent.add([large], 2);
    assert.deepEqual(recent.list(), { first: 2, items: [large] });
  });
});
