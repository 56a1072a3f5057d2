import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/delivery.md"), "utf8");

/** Runs a program against the sources. Returns what it prints. */
async function run(program: string): Promise<string> {
  const folder = await mkdtemp(join(root, "test/.program-"));
  try {
    const file = join(folder, "program.mjs");
    await writeFile(file, program);
    const flags = ["--conditions=@tidewire/source", "--import", "tsx/esm"];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], { cwd: root });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("docs/delivery.md", () => {
  it("has a program that runs", async () => {
    const programs = [...page.matchAll(/^```js\n(import [^]*?)^```/gm)].map((match) => match[1]!);
    assert.equal(programs.length, 1);
    const [count, ...last] = (await run(programs[0]!)).trim().split(" ");
    assert.ok(Number(count) < 10, `${count} prices`);
    assert.deepEqual(last, ["ABC", "200"]);
  });
});
