import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./packed.ts";

function pages(): string[] {
  const docs = join(root, "docs");
  const inDocs = existsSync(docs) ? readdirSync(docs, { recursive: true, encoding: "utf8" }) : [];
  const top = readdirSync(root)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, name));
  return [...top, ...inDocs.filter((name) => name.endsWith(".md")).map((name) => join(docs, name))];
}

/** The targets of a page's links and pictures, code left out. */
function targets(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)/g)];
  const references = [...prose.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?$/gm)];
  const html = [...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)];
  return [...inline, ...references, ...html].map((match) => String(match[1]));
}

/** The anchors that the headings of a page make, as GitHub writes them. */
function anchors(text: string): Set<string> {
  const prose = text.replace(/^```[^]*?^```/gm, "");
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
  return new Set([...prose.matchAll(/^#+\s+(.+)$/gm)].map((match) => slug(String(match[1]))));
}

describe("links of the documentation", () => {
  for (const page of pages()) {
    it(`of ${relative(root, page)} exist`, () => {
      const text = readFileSync(page, "utf8");
      const broken = targets(text).filter((target) => {
        if (/^[a-z][a-z+.-]*:/i.test(target)) return false;
        const [path = "", anchor] = decodeURI(target).split("#");
        const file = path === "" ? page : path.startsWith("/") ? join(root, path) : join(dirname(page), path);
        if (!existsSync(file)) return true;
        return (
          anchor !== undefined && file.endsWith(".md") && !anchors(readFileSync(file, "utf8")).has(anchor)
        );
      });
      assert.deepEqual(broken, []);
    });
  }
});
