import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { groups, wide } from "../../docs/.vitepress/pages.ts";
import { tableIn } from "../../docs/.vitepress/tables.ts";

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

  it("say when and where the tables were measured that the bench writes", () => {
    const parts = listed.flatMap((page) => {
      const text = readFileSync(new URL(`${page}.md`, docs), "utf8");
      const found = text.matchAll(/<!-- bench:([\w-]+) -->([\s\S]*?)<!-- \/bench:\1 -->/g);
      return [...found].filter(([, , part]) => part!.includes("|"));
    });
    assert.ok(parts.length >= 3);
    for (const [, name, part] of parts) assert.match(part!, /\d{4}-\d\d-\d\d, .*\bNode\b.*\bcores\b/, name);
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

describe("the palette", () => {
  it("of the site and the examples is that of the inspector, a package of its own", () => {
    const [examples, inspector] = ["examples/shared", "packages/inspector/page"].map((folder) =>
      readFileSync(new URL(`../${folder}/palette.css`, docs), "utf8"),
    );
    assert.equal(examples, inspector);
  });
});

describe("docs/issues.md", () => {
  const [, reported, found] = readFileSync(new URL("issues.md", docs), "utf8").split(/^## /m);
  const reports = tableIn(reported!).rows;
  const rows = [...reports, ...tableIn(found!).rows];

  it("links each report", () => {
    const link = /\(\[(?:\S+ )?#(\d+)\]\(https:\/\/github\.com\/socketio\/[\w.-]+\/(?:issues|pull)\/\1\)/;
    assert.deepEqual(
      reports.filter(([happens]) => !link.test(happens!)),
      [],
    );
  });

  it("names tests that exist, by title and file", () => {
    const missing = rows.filter(([, , shownBy = ""]) => {
      const [, title = "", path = ""] = /^\[(.+)\]\((\S+\.test\.ts)\)$/.exec(shownBy) ?? [];
      const file = new URL(path, docs);
      return !existsSync(file) || !titlesIn(readFileSync(file, "utf8")).some((each) => each.test(title));
    });
    assert.deepEqual(missing, []);
  });

  it("would miss a test of another title", () => {
    const titles = titlesIn(
      'it("is cut", async () => {});\nhost.it(`serves version ${version}`, async () => {});',
    );
    assert.deepEqual(
      ["is cut", "is cut off", "serves version 4", "serves"].map((title) =>
        titles.some((each) => each.test(title)),
      ),
      [true, false, true, false],
    );
  });
});

/** The titles of the tests in a file. What a template inserts may be anything. */
function titlesIn(source: string): RegExp[] {
  const titles = [...source.matchAll(/\bit\(\s*(["'`])(.+?)\1,/g)].map(([, , title]) => title!);
  return titles.map((title) => {
    const parts = title.split(/\$\{[^}]*\}/).map(escaped);
    return new RegExp(`^${parts.join(".+")}$`);
  });
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
