import assert from "node:assert/strict";
import { linesOf, programsOf } from "../support/process/program.ts";

describe("docs/delivery.md", () => {
  it("has a program that runs", async () => {
    const programs = programsOf("docs/delivery.md");
    assert.equal(programs.length, 1);
    const [count, ...last] = (await linesOf(programs[0]!)).join("\n").split(" ");
    assert.ok(Number(count) < 10, `${count} prices`);
    assert.deepEqual(last, ["ABC", "200"]);
  });
});
