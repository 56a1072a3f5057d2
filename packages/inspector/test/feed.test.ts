import assert from "node:assert/strict";
import { Feed } from "../src/watching/feed.ts";
import type { FeedBatch, FeedFilter } from "../src/watching/feed.ts";
import type { Occurrence } from "../src/watching/occurrence.ts";

/** The next batch of a feed that hears these. */
function batchOf(filter: FeedFilter, occurrences: readonly Occurrence[]): Promise<FeedBatch> {
  return new Promise((resolve) => {
    const feed = new Feed(filter, resolve);
    for (const occurrence of occurrences) feed.hear(occurrence);
  });
}

function happening(name: string, more: Partial<Occurrence> = {}): Occurrence {
  return { kind: "in", namespace: "/", name, ...more };
}

describe("Feed", () => {
  it("has at most 40 events of a quarter of a second, and counts the others without a look at them", async () => {
    const untouched: Occurrence = {
      ...happening("late"),
      get args(): never {
        return assert.fail("was read");
      },
    };
    const early = Array.from({ length: 40 }, (_, index) => happening(`e${index}`));
    const { entries, skipped } = await batchOf({}, [
      ...early,
      ...Array.from({ length: 1000 }, () => untouched),
    ]);
    assert.equal(entries.length, 40);
    assert.equal(skipped, 1000);
  });

  it("counts only what matches", async () => {
    const filter: FeedFilter = { kinds: ["in"], name: "Chat", namespace: "/", socket: "s1" };
    const { entries, skipped } = await batchOf(filter, [
      happening("chat:message", { socket: "s1" }),
      happening("chat:message", { sid: "s1" }),
      happening("chat:message", { socket: "s2" }),
      happening("other", { socket: "s1" }),
      happening("chat", { socket: "s1", namespace: "/x" }),
      happening("chat", { socket: "s1", kind: "out" }),
    ]);
    assert.deepEqual([entries.length, skipped], [2, 0]);
  });

  it("names a few rooms of a broadcast", async () => {
    const rooms = new Set(Array.from({ length: 100 }, (_, index) => `room ${index}`));
    const { entries } = await batchOf({}, [
      happening("news", { kind: "broadcast", rooms, except: new Set(["x"]) }),
    ]);
    assert.deepEqual(entries[0]!.rooms, [
      "room 0",
      "room 1",
      "room 2",
      "room 3",
      "room 4",
      "room 5",
      "… 94 more",
      "not x",
    ]);
  });
});
