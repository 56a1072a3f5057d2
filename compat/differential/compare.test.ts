import assert from "node:assert/strict";
import { compare, type Hunk } from "./compare.ts";
import type { Sighting } from "./page.ts";

const place = { scenario: "upgrade: all of it", host: "uws" } as const;

/** What is left of the difference between two lanes called `ws`, and how many sightings were seen. */
function left(official: string[], here: string[], ...sightings: Sighting[]): { hunks: Hunk[]; seen: number } {
  const row = { where: "", official: "", here: "", why: "", tests: [], sightings };
  const { unexplained, seen } = compare(new Map([["ws", official]]), new Map([["ws", here]]), place, [row]);
  return { hunks: unexplained, seen: seen.size };
}

describe("the comparison of transcripts", () => {
  it("finds nothing where there is nothing", () => {
    assert.deepEqual(left(["a", "b"], ["a", "b"]), { hunks: [], seen: 0 });
  });

  it("finds lines that were changed, are missing, and came", () => {
    const { hunks } = left(["a", "b", "c", "d"], ["a", "x", "c", "d", "e"]);
    assert.deepEqual(hunks, [
      { lane: "ws", official: ["b"], here: ["x"] },
      { lane: "ws", official: [], here: ["e"] },
    ]);
  });

  it("finds a lane that one of them lacks", () => {
    const { unexplained } = compare(new Map(), new Map([["late", ["in ws: text"]]]), place, []);
    assert.deepEqual(unexplained, [{ lane: "late", official: [], here: ["in ws: text"] }]);
  });

  it("finds another order", () => {
    assert.equal(left(["a", "b"], ["b", "a"]).hunks.length, 2);
  });

  it("takes for explained what a sighting covers, and tells that it was seen", () => {
    const sighting = { in: "upgrade: *", official: "close 100* ''", here: "close 100* '*'" };
    assert.deepEqual(left(["close 1002 ''"], ["close 1002 'why'"], sighting), { hunks: [], seen: 1 });
  });

  it("leaves what a sighting does not cover", () => {
    const { hunks } = left(["one", "two"], [], { in: "*", official: "one" });
    assert.deepEqual(hunks, [{ lane: "ws", official: ["two"], here: [] }]);
  });

  it("lets two asterisks stand for any number of lines", () => {
    const sighting = { in: "*", official: "open\n**\nend", here: "400" };
    assert.deepEqual(left(["open", "text", "close", "end"], ["400"], sighting).hunks, []);
    assert.deepEqual(left(["open", "end"], ["400"], sighting).hunks, []);
  });

  for (const [what, sighting] of Object.entries<Sighting>({
    "another scenario": { in: "polling: *", official: "one" },
    "another lane": { in: "*", lane: "http", official: "one" },
    "the other host": { in: "*", host: "node", official: "one" },
    "lines that are not there": { in: "*", official: "one", here: "other" },
    "only the beginning of the line": { in: "*", official: "on" },
  })) {
    it(`does not take a sighting of ${what}`, () => {
      assert.deepEqual(left(["one"], [], sighting), {
        hunks: [{ lane: "ws", official: ["one"], here: [] }],
        seen: 0,
      });
    });
  }
});
