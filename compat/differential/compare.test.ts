import assert from "node:assert/strict";
import { compare, type Hunk } from "./compare.ts";
import type { Sighting } from "./page.ts";

const place = { scenario: "upgrade: complete", host: "uws" } as const;

/** The unexplained differences between two lanes named `ws`, and how many sightings were seen. */
function left(official: string[], here: string[], ...sightings: Sighting[]): { hunks: Hunk[]; seen: number } {
  const row = { where: "", official: "", here: "", why: "", tests: [], sightings };
  const { unexplained, seen } = compare(new Map([["ws", official]]), new Map([["ws", here]]), place, [row]);
  return { hunks: unexplained, seen: seen.size };
}

describe("compat: comparing transcripts", () => {
  it("finds no difference between equal lanes", () => {
    assert.deepEqual(left(["a", "b"], ["a", "b"]), { hunks: [], seen: 0 });
  });

  it("finds changed, missing and added lines", () => {
    const { hunks } = left(["a", "b", "c", "d"], ["a", "x", "c", "d", "e"]);
    assert.deepEqual(hunks, [
      { lane: "ws", official: ["b"], here: ["x"] },
      { lane: "ws", official: [], here: ["e"] },
    ]);
  });

  it("finds a lane that only one side has", () => {
    const { unexplained } = compare(new Map(), new Map([["late", ["in ws: text"]]]), place, []);
    assert.deepEqual(unexplained, [{ lane: "late", official: [], here: ["in ws: text"] }]);
  });

  it("finds lines in another order", () => {
    assert.equal(left(["a", "b"], ["b", "a"]).hunks.length, 2);
  });

  it("accepts a difference that a sighting explains, and reports the sighting as seen", () => {
    const sighting = { in: "upgrade: *", official: "close 100* ''", here: "close 100* '*'" };
    assert.deepEqual(left(["close 1002 ''"], ["close 1002 'why'"], sighting), { hunks: [], seen: 1 });
  });

  it("reports a difference that no sighting explains", () => {
    const { hunks } = left(["one", "two"], [], { in: "*", official: "one" });
    assert.deepEqual(hunks, [{ lane: "ws", official: ["two"], here: [] }]);
  });

  it("matches any number of lines with two asterisks", () => {
    const sighting = { in: "*", official: "open\n**\nend", here: "400" };
    assert.deepEqual(left(["open", "text", "close", "end"], ["400"], sighting).hunks, []);
    assert.deepEqual(left(["open", "end"], ["400"], sighting).hunks, []);
  });

  for (const [what, sighting] of Object.entries<Sighting>({
    "another scenario": { in: "polling: *", official: "one" },
    "another lane": { in: "*", lane: "http", official: "one" },
    "the other host": { in: "*", host: "node", official: "one" },
    "lines that do not occur": { in: "*", official: "one", here: "other" },
    "the beginning of a line only": { in: "*", official: "on" },
  })) {
    it(`does not accept a sighting of ${what}`, () => {
      assert.deepEqual(left(["one"], [], sighting), {
        hunks: [{ lane: "ws", official: ["one"], here: [] }],
        seen: 0,
      });
    });
  }
});
