import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "./packed.ts";

function testFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => basename(path));
}

describe("test files", () => {
  it("have no name both in test and in packages/*/test", () => {
    const packages = readdirSync(join(root, "packages"));
    const units = new Set(packages.flatMap((name) => testFiles(`packages/${name}/test`)));
    assert.deepEqual(
      testFiles("test").filter((name) => units.has(name)),
      [],
    );
  });

  it("are in folders that CONTRIBUTING.md lists", () => {
    const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    const folders = readdirSync(join(root, "test")).filter((name) => !name.startsWith("."));
    assert.deepEqual(
      folders.filter((folder) => !page.includes(`\`test/${folder}\``)),
      [],
    );
  });
});
