// The pages of the site, in the order of the sidebar. To add a page, add its name to a group.
import { existsSync, readFileSync } from "node:fs";
import type { DefaultTheme } from "vitepress";

interface Group {
  title: string;
  /** The names of files in docs/, without `.md`. Their first headings are their titles. */
  pages: readonly string[];
}

export const groups: readonly Group[] = [
  { title: "Start", pages: ["install", "migrate", "frameworks", "examples", "questions", "troubleshooting"] },
  { title: "Guides", pages: ["delivery", "auth", "errors", "typescript", "testing", "tuning"] },
  {
    title: "Production",
    pages: [
      "deployment",
      "draining",
      "observability",
      "inspector",
      "disconnects",
      "limits-and-errors",
      "security",
    ],
  },
  { title: "Scale", pages: ["several-processes", "several-machines"] },
  { title: "Reference", pages: ["options", "command-line", "support", "session-life"] },
  { title: "Evidence", pages: ["differences", "compatibility", "performance", "issues"] },
];

/** Pages whose tables need the whole width. */
export const wide: ReadonlySet<string> = new Set([
  "compatibility",
  "differences",
  "issues",
  "limits-and-errors",
  "options",
  "performance",
  "troubleshooting",
]);

const docs = new URL("../", import.meta.url);

/** The text of a page's first heading. */
function titleOf(page: string): string {
  const text = readFileSync(new URL(`${page}.md`, docs), "utf8");
  const title = /^# (.+)$/m.exec(text)?.[1];
  if (title === undefined) throw new Error(`docs/${page}.md has no heading`);
  return title.replaceAll("`", "");
}

/** A pattern of the paths of a group. */
export function pagesOf(title: string): string {
  return `^/(${groups.find((group) => group.title === title)!.pages.join("|")})$`;
}

/** The sidebar of the pages: the groups. */
export function sidebar(): DefaultTheme.SidebarItem[] {
  return groups.map(({ title, pages }) => ({
    text: title,
    items: [
      ...pages.map((page) => ({ text: titleOf(page), link: `/${page}` })),
      ...(title === "Reference" ? [{ text: "API reference", link: "/api/" }] : []),
    ],
  }));
}

/** The sidebar of the API reference, where that has been generated: the packages. */
export function apiSidebar(): DefaultTheme.SidebarItem[] {
  const file = new URL("api/sidebar.json", docs);
  if (!existsSync(file)) return [];
  return JSON.parse(readFileSync(file, "utf8")) as DefaultTheme.SidebarItem[];
}
