// The published types are for another markdown-it than the one of VitePress.
declare module "markdown-it-footnote" {
  import type { MarkdownOptions } from "vitepress";
  type Markdown = Parameters<NonNullable<MarkdownOptions["config"]>>[0];
  const plugin: (md: Markdown) => void;
  export default plugin;
}
