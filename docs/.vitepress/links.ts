// Makes the links of the pages work on the site as they do on a source host.
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { MarkdownOptions } from "vitepress";

type Markdown = Parameters<NonNullable<MarkdownOptions["config"]>>[0];

export const repository = "https://github.com/tidewire/tidewire";

const root = fileURLToPath(new URL("../../", import.meta.url));
const docs = join(root, "docs");

/** The id of a heading, as GitHub forms it. */
export function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** Leads links to files outside of docs/ to the repository. */
export function sourceLinks(md: Markdown): void {
  md.core.ruler.push("source_links", ({ tokens, env }) => {
    const { path } = env as { path?: string };
    if (path === undefined) return;
    for (const link of tokens.flatMap(({ children }) => children ?? [])) {
      if (link.type !== "link_open") continue;
      const href = link.attrGet("href");
      if (href !== null) link.attrSet("href", hrefOnSite(href, path));
    }
  });
}

/** @throws Error if the link is relative and leads to no file of the repository */
function hrefOnSite(href: string, page: string): string {
  if (href.startsWith("#") || href.startsWith("/") || /^[a-z]+:/.test(href)) return href;
  const [path = "", hash] = href.split("#", 2);
  const target = join(dirname(page), decodeURI(path));
  if (!existsSync(target)) throw new Error(`${relative(root, page)} links to ${href}, which does not exist`);
  if (isInside(docs, target)) return href;
  const kind = statSync(target).isDirectory() ? "tree" : "blob";
  const place = relative(root, target).split(sep).join("/");
  return `${repository}/${kind}/main/${place}${hash === undefined ? "" : `#${hash}`}`;
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder + sep);
}

/** Shows indented code like fenced code. */
export function indentedCode(md: Markdown): void {
  md.core.ruler.push("indented_code", ({ tokens }) => {
    for (const token of tokens) {
      if (token.type !== "code_block") continue;
      token.type = "fence";
      token.tag = "code";
      token.info = "text";
      token.markup = "```";
    }
  });
}
