import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Progress } from "../src/output/progress.ts";
import { styleFor } from "../src/output/style.ts";

/** A stream that says of itself whether a person looks at it. */
function stream(isTTY: boolean): PassThrough & { isTTY: boolean } {
  return Object.assign(new PassThrough(), { isTTY });
}

function textOf(from: PassThrough): string {
  return ((from.read() as Buffer | null) ?? "").toString();
}

describe("the style of the output", () => {
  const before = process.env["NO_COLOR"];
  beforeEach(() => void delete process.env["NO_COLOR"]);
  afterEach(() => {
    if (before === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = before;
  });

  it("has colours on a terminal", () => {
    assert.equal(styleFor(stream(true)).bad("wrong"), "\u001b[31mwrong\u001b[39m");
  });

  it("is plain in a file, and with NO_COLOR", () => {
    assert.equal(styleFor(stream(false)).bad("wrong"), "wrong");
    assert.equal(styleFor(new PassThrough()).bad("wrong"), "wrong");
    process.env["NO_COLOR"] = "1";
    assert.equal(styleFor(stream(true)).bad("wrong"), "wrong");
  });
});

describe("the progress bar", () => {
  it("is drawn on one line of a terminal, and removed", () => {
    const terminal = stream(true);
    const progress = new Progress(terminal);
    progress.show(0.5, "half");
    assert.equal(textOf(terminal), `\r\u001b[K${"█".repeat(12)}${"░".repeat(12)} half`);
    progress.show(0.6, "at once");
    assert.equal(textOf(terminal), "", "more often than it can be seen");
    progress.clear();
    assert.equal(textOf(terminal), "\r\u001b[K");
    progress.clear();
    assert.equal(textOf(terminal), "", "nothing to remove");
  });

  it("stays within its width", () => {
    for (const [done, filled] of [
      [-1, 0],
      [7, 24],
    ] as const) {
      const terminal = stream(true);
      new Progress(terminal).show(done, "");
      assert.ok(textOf(terminal).includes(`${"█".repeat(filled)}${"░".repeat(24 - filled)} `));
    }
  });

  it("writes nothing where nobody looks", () => {
    const file = stream(false);
    const progress = new Progress(file);
    progress.show(0.5, "half");
    progress.clear();
    assert.equal(textOf(file), "");
  });
});
