// Example for section-process.test.ts: one test for each result.
import { cell, isFull, unsupported } from "../../support/cell.ts";

cell({ group: "Official clients", part: "part", version: "1.0.0", host: "uws", transport: "polling" }, () => {
  it("passes", () => {});
  unsupported("compresses", "it has no zlib");
  it("needs another machine");
  describe("a topic", () => {
    it("fails", () => {
      throw new Error("as it should");
    });
  });
});

it(isFull ? "knows the full form" : "knows the quick form", () => {});
