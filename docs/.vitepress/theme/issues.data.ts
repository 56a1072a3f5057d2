// The first rows of docs/issues.md, for the start page.
import { readFileSync } from "node:fs";
import { createMarkdownRenderer, defineLoader } from "vitepress";
import type { SiteConfig } from "vitepress";
import { sourceLinks } from "../links.ts";
import { tableIn } from "../tables.ts";

/** Each as HTML. */
export interface Issue {
  happens: string;
  here: string;
  shownBy: string;
}

const SHOWN = 8;

export default defineLoader({
  watch: ["../../issues.md"],
  async load([file]): Promise<Issue[]> {
    const { srcDir, site } = (globalThis as unknown as { VITEPRESS_CONFIG: SiteConfig }).VITEPRESS_CONFIG;
    const md = await createMarkdownRenderer(srcDir, { config: sourceLinks }, site.base);
    const inline = (text: string): string =>
      md.renderInline(text, { path: file!, relativePath: "issues.md", cleanUrls: false });
    const { rows } = tableIn(readFileSync(file!, "utf8"));
    return rows.slice(0, SHOWN).map(([happens = "", here = "", shownBy = ""]) => ({
      happens: inline(happens),
      here: inline(here),
      shownBy: inline(shownBy),
    }));
  },
});

export declare const data: Issue[];
