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

  it("give no figure without the day and the machine, or a link to them", () => {
    const root = new URL("../", docs);
    const packages = readdirSync(new URL("packages/", root)).map((name) => `packages/${name}/README.md`);
    const files = ["README.md", ...packages, ...listed.map((page) => `docs/${page}.md`), "docs/index.md"];
    const figure = /\d ?(?:µs|ns)\b|µs per |% of the CPU time|bytes of (?:RSS|V8 heap)/;
    const isDated = (section: string): boolean =>
      (/\b\d{4}-\d\d-\d\d\b/.test(section) && /\bcores\b/.test(section)) ||
      /\]\((?:[^)]*performance\.md|#what-it-costs)\)/.test(section);
    const undated = files.flatMap((file) =>
      readFileSync(new URL(file, root), "utf8")
        .split(/^(?=## )/m)
        .filter((section) => figure.test(section) && !isDated(section))
        .map((section) => `${file}: ${section.split("\n", 1)[0]}`),
    );
    assert.deepEqual(undated, []);
  });
});
