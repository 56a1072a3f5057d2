// Where names in tables may break.
import type { MarkdownOptions } from "vitepress";

type Markdown = Parameters<NonNullable<MarkdownOptions["config"]>>[0];

/** Lets code and links in the cells of tables break between the words of a name, so that a phone shows words whole. */
export function breaksInTables(md: Markdown): void {
  const { escapeHtml } = md.utils;
  md.core.ruler.push("breaks_in_tables", ({ tokens }) => {
    let isInCell = false;
    for (const { type, children } of tokens) {
      if (type === "td_open") isInCell = true;
      if (type === "td_close") isInCell = false;
      if (!isInCell) continue;
      let isInLink = false;
      for (const child of children ?? []) {
        if (child.type === "link_open") isInLink = true;
        if (child.type === "link_close") isInLink = false;
        if (child.type === "code_inline") child.meta = { isInCell };
        if (child.type === "text" && isInLink) {
          child.type = "html_inline";
          child.content = withBreaks(escapeHtml(child.content));
        }
      }
    }
  });
  const { rules } = md.renderer;
  const render = rules["code_inline"]!;
  rules["code_inline"] = (tokens, index, ...others) => {
    const html = render(tokens, index, ...others);
    const { isInCell } = (tokens[index]?.meta ?? {}) as { isInCell?: boolean };
    return isInCell ? html.replace(/(?<=>)[^<]+(?=<\/code>)/, withBreaks) : html;
  };
}

function withBreaks(name: string): string {
  return name.replaceAll(/[a-z\d](?=[A-Z])|[/._:=-](?=\w)/g, "$&<wbr>");
}
