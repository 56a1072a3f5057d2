import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rows } from "./page.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Whether the file contains the text as a string, or as the beginning of a template. */
function isTitleIn(source: string, title: string): boolean {
  return ['"', "`"].some(
    (quote) => source.includes(quote + title + quote) || source.includes(`${quote}${title} \${`),
  );
}

describe("docs/limits-and-errors.md", () => {
  it("has unique rows", () => {
    const titles = rows.map(({ title }) => title);
    assert.ok(titles.length > 40);
    assert.deepEqual(titles, [...new Set(titles)]);
  });

  for (const row of rows) {
    it(`links to a test: ${row.title}`, () => {
      assert.ok(row.files.length > 0, "no link to a test");
      for (const file of row.files) {
        assert.ok(existsSync(file), `${file} is missing`);
        const source = readFileSync(file, "utf8");
        const titles = file.startsWith(here) ? [row.title] : row.quoted;
        assert.ok(titles.length > 0, "no title of a test");
        for (const title of titles) assert.ok(isTitleIn(source, title), `${file} has no test "${title}"`);
      }
    });
  }

  it("has a row for each scenario of these suites", () => {
    const suites = readdirSync(here).filter((name) => name.endsWith(".test.ts") && name !== "page.test.ts");
    for (const suite of suites) {
      const source = readFileSync(here + suite, "utf8");
      const titles = [...source.matchAll(/^scenario\(\s*"([^"]+)"/gm)].map((match) => match[1]);
      assert.ok(titles.length > 0, `${suite} has no scenario`);
      for (const title of titles)
        assert.ok(
          rows.some((row) => row.title === title),
          `no row "${title}"`,
        );
    }
  });
});
