import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as parser from "@tidewire/parser";

describe("wrapper.mjs", () => {
  it("exports by name exactly what the package exports", () => {
    const source = readFileSync(new URL("../wrapper.mjs", import.meta.url), "utf8");
    const names = Array.from(source.matchAll(/^export const (\w+) = parser\.(\w+);$/gm), ([, name, from]) => {
      assert.equal(name, from);
      return name;
    });
    assert.deepEqual(new Set(names), new Set(Object.keys(parser)));
  });
});
