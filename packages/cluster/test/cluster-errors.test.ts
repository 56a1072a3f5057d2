import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { clusterMessages, linkMessages } from "../src/errors.ts";

const page = readFileSync(new URL("../../../docs/limits-and-errors.md", import.meta.url), "utf8");

/** The codes in the first column of the table that follows a sentence. */
function codesAfter(sentence: string): string[] {
  const [, table = ""] = page.split(sentence)[1]?.split("\n\n") ?? [];
  return [...table.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code!);
}

describe("the codes of errors", () => {
  it("of a cluster are all in the docs", () => {
    assert.deepEqual(codesAfter("A `ClusterError` is").toSorted(), Object.keys(clusterMessages).toSorted());
  });

  it("of links are all in the docs", () => {
    assert.deepEqual(codesAfter("A `LinkError` is").toSorted(), Object.keys(linkMessages).toSorted());
  });
});
