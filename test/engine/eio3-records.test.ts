import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/** A comparison of anything with one of the two versions, as in `protocol === 3` or `EIO !== "4"`. */
const VERSION_TEST = /(protocol|version|revision|dialect|EIO)\b[^\n;{]{0,20}[!=]==? ?["']?[34]\b/i;

/** Where versions may be distinguished: their records, and what selects the record. */
const RECORDS = /\/(protocol\/\w+|dialect)\.ts$/;

function sourcesOf(name: string): string[] {
  const folder = `${packages}${name}/src`;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).map((file) => `${folder}/${file}`);
}

describe("engine: protocol versions", () => {
  for (const name of ["engine", "server"]) {
    it(`are distinguished only by records in ${name}`, () => {
      const files = sourcesOf(name);
      assert.ok(files.some((file) => RECORDS.test(file)));
      const testing = files.filter(
        (file) => !RECORDS.test(file) && VERSION_TEST.test(readFileSync(file, "utf8")),
      );
      assert.deepEqual(testing, []);
    });
  }

  it("are found by this search if distinguished elsewhere", () => {
    for (const test of ["conn.protocol === 3", "if (version !== 4)", 'query["EIO"] === "4"']) {
      assert.match(test, VERSION_TEST);
    }
  });
});
