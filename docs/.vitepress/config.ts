import { readFileSync } from "node:fs";
import { defineConfig } from "vitepress";
import { breaksInTables } from "./breaks.ts";
import { footnotes } from "./footnotes.ts";
import { indentedCode, repository, slugify, sourceLinks } from "./links.ts";
import { apiSidebar, pagesOf, sidebar, wide } from "./pages.ts";

/** The path under which the site is served. */
const base = process.env["DOCS_BASE"] ?? "/";

/** The colour of the page, by day and by night. */
const palette = readFileSync(new URL("../../examples/shared/palette.css", import.meta.url), "utf8");
const [, day = "", night = ""] = /--surface: light-dark\((\S+), (\S+)\)/.exec(palette) ?? [];

/** Whether a page of the API reference is that of an interface. */
function isInterface({ relativePath }: { relativePath?: string }): boolean {
  return relativePath !== undefined && /^api\/[^/]+\/interfaces\//.test(relativePath);
}

/** A page with one heading is one result: the many members of interfaces would hide the guides. */
function withoutHeadings(page: string): string {
  return page.replaceAll(/^#{2,} /gm, "");
}

export default defineConfig({
  lang: "en",
  title: "Tidewire",
  description: "A Socket.IO server for Node.js, rewritten from the protocol up",
  base,
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: light)", content: day }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: dark)", content: night }],
  ],
  // Programs, beside the pages.
  srcExclude: ["site/**"],
  markdown: {
    // Braces mean nothing on a source host.
    attrs: { disable: true },
    anchor: { slugify },
    languageAlias: { caddy: "nginx", haproxy: "ini" },
    // The usual themes are too pale for the colour of the blocks.
    theme: { light: "github-light-high-contrast", dark: "github-dark-default" },
    config(md) {
      md.use(breaksInTables);
      md.use(footnotes);
      md.use(indentedCode);
      md.use(sourceLinks);
    },
  },
  transformPageData({ relativePath, frontmatter }) {
    if (wide.has(relativePath.replace(/\.md$/, ""))) {
      Object.assign(frontmatter, { aside: false, pageClass: "wide" });
    }
  },
  // The index of the search.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    logo: { src: "/icon.svg", alt: "" },
    nav: [
      { text: "Install", link: "/install" },
      { text: "Guides", link: "/delivery", activeMatch: pagesOf("Guides") },
      { text: "Production", link: "/deployment", activeMatch: pagesOf("Production") },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Performance", link: "/performance" },
      { text: "Source", link: repository },
    ],
    sidebar: { "/api/": apiSidebar(), "/": sidebar() },
    outline: { level: [2, 3] },
    notFound: {
      title: "There is no such page",
      quote: "It may have another name now: try the search, or begin at the start.",
      linkText: "To the start",
      linkLabel: "To the start page",
    },
    search: {
      provider: "local",
      options: {
        // Nobody searches for colours.
        _render(src, env, md) {
          md.options.highlight = (code) => `<pre><code>${md.utils.escapeHtml(code)}</code></pre>`;
          return md.render(isInterface(env) ? withoutHeadings(src) : src, env);
        },
      },
    },
  },
});
