// Tests for the runner to run: of every state there is.
import { cell, isFull, unsupported } from "../../support/cell.ts";

cell({ group: "Official clients", part: "part", version: "1.0.0", host: "uws", transport: "polling" }, () => {
  it("passes", () => {});
  unsupported("flies", "it has no wings");
  it("waits for a machine that has it");
  describe("a topic", () => {
    it("fails", () => {
      throw new Error("as it should");
    });
  });
});

it(isFull ? "knows the full form" : "knows the quick form", () => {});
