import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { groups, wide } from "../../docs/.vitepress/pages.ts";

const docs = new URL("../../docs/", import.meta.url);
const listed = groups.flatMap(({ pages }) => pages);

describe("the pages of the site", () => {
  it("are in one group each: docs/.vitepress/pages.ts", () => {
    const files = readdirSync(docs)
      .filter((name) => name.endsWith(".md") && name !== "index.md")
      .map((name) => name.replace(/\.md$/, ""));
    assert.deepEqual(listed.toSorted(), files.toSorted());
  });

  it("that are wide exist", () => {
    assert.deepEqual(
      [...wide].filter((page) => !listed.includes(page)),
      [],
    );
  });

  it("begin with a heading, so that they read well on a source host", () => {
    for (const page of listed) {
      assert.match(readFileSync(new URL(`${page}.md`, docs), "utf8"), /^# /, `docs/${page}.md`);
    }
  });

  it("of numbers say when and where these were measured", () => {
    const page = readFileSync(new URL("performance.md", docs), "utf8");
    const parts = [...page.matchAll(/<!-- bench:[\w-]+ -->([\s\S]*?)<!-- \/bench:/g)];
    assert.notEqual(parts.length, 0);
    for (const [, part] of parts) assert.match(part!, /\d{4}-\d\d-\d\d, .*\bNode v.*\bcores\b/);
  });
});
