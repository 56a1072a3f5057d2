import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Server } from "@tidewire/server";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/observability.md"), "utf8");

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

describe("docs/observability.md", () => {
  it("has a program that prints what the page says", async () => {
    const [, program, printed] = /^```js\n(import [^]*?)^```\n\n((?: {4}.*\n)+)/m.exec(page)!;
    assert.equal(await run(program!), printed!.replaceAll(/^ {4}/gm, ""));
  });

  it("explains each member of io.stats()", () => {
    const [table] = page.split("\n## Prometheus");
    const explained = [...table!.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`(\w+)`/g)].map((name) => name[1]!),
    );
    assert.deepEqual(explained.toSorted(), Object.keys(new Server().stats()).toSorted());
  });
});
