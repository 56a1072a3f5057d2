import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/inspector.md"), "utf8");

describe("docs/inspector.md", () => {
  it("has a program that prints what the page says", async () => {
    const [, program, printed] = /## A program[^]*?^```js\n([^]*?)^```\n\n((?: {4}.*\n?)+)/m.exec(page)!;
    const folder = await mkdtemp(join(root, "test/.program-"));
    try {
      const file = join(folder, "program.mjs");
      await writeFile(file, program!);
      const flags = ["--conditions=@tidewire/source", "--import", "tsx/esm"];
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], { cwd: root });
      assert.equal(stdout.trim(), printed!.replaceAll(/^ {4}/gm, "").trim());
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
