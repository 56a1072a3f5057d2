// Footnotes of the pages, written as on a source host: `[^1]`.
import plugin from "markdown-it-footnote";
import type { MarkdownOptions } from "vitepress";

type Markdown = Parameters<NonNullable<MarkdownOptions["config"]>>[0];

/** Renders footnotes. A cell may have many, and many cells the same one, so they have their numbers alone, and no way back to each. */
export function footnotes(md: Markdown): void {
  md.use(plugin);
  const { rules } = md.renderer;
  rules["footnote_caption"] = (tokens, index) =>
    String(((tokens[index]?.meta as { id: number } | undefined)?.id ?? 0) + 1);
  rules["footnote_anchor"] = () => "";
  rules["footnote_block_open"] = () => '<ol class="footnotes">\n';
  rules["footnote_block_close"] = () => "</ol>\n";
}
