import assert from "node:assert/strict";
import { generateId } from "../src/admission/ids.ts";

describe("session ids", () => {
  it("are 20 characters of A-Z, a-z, 0-9, - and _", () => {
    for (let count = 0; count < 10_000; count++) assert.match(generateId(), /^[A-Za-z0-9_-]{20}$/);
  });

  it("are different from each other", () => {
    const ids = new Set(Array.from({ length: 50_000 }, generateId));
    assert.equal(ids.size, 50_000);
  });

  it("use every character at every position", () => {
    const seen = Array.from({ length: 20 }, () => new Set<string>());
    for (let count = 0; count < 5_000; count++) {
      for (const [place, character] of generateId().split("").entries()) seen[place]!.add(character);
    }
    assert.deepEqual(
      seen.map((characters) => characters.size),
      Array<number>(20).fill(64),
    );
  });
});
