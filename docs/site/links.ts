// Checks the links of the built site.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { dist } from "./paths.ts";

interface Page {
  ids: ReadonlySet<string>;
  /** What it links to. */
  links: readonly string[];
  /** What a browser loads with it. */
  loaded: readonly string[];
}

/** Returns what is wrong: links that lead nowhere, and requests to other hosts. */
export function brokenLinks(base: string = "/"): string[] {
  const files = new Set(
    readdirSync(dist, { recursive: true, encoding: "utf8" }).map((name) => `/${name.split(sep).join("/")}`),
  );
  const pages = new Map(
    [...files].filter((name) => name.endsWith(".html")).map((name) => [name, read(join(dist, name))]),
  );
  const problems: string[] = [];
  for (const [name, { links, loaded }] of pages) {
    for (const url of loaded) if (/^(?:[a-z]+:)?\/\//.test(url)) problems.push(`${name} loads ${url}`);
    for (const link of new Set(links)) {
      if (/^(?:[a-z]+:|\/\/)/.test(link)) continue;
      const [path = "", hash] = link.split("#", 2);
      const target = fileOf(path, name, base, files);
      if (target === undefined) problems.push(`${name} links to ${link}, which does not exist`);
      else if (hash && !pages.get(target)?.ids.has(decodeURIComponent(hash))) {
        problems.push(`${name} links to ${link}, which has no such heading`);
      }
    }
  }
  return problems;
}

function read(file: string): Page {
  const html = readFileSync(file, "utf8");
  return {
    ids: new Set(valuesOf(html, /\sid="([^"]+)"/g)),
    links: valuesOf(html, /<a\s[^>]*?href="([^"]*)"/g),
    loaded: valuesOf(html, /<(?:link|script|img)\s[^>]*?(?:href|src)="([^"]*)"/g),
  };
}

function valuesOf(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(([, value]) => value!.replaceAll("&amp;", "&"));
}

/** The file that a path on a page stands for. */
function fileOf(path: string, page: string, base: string, files: ReadonlySet<string>): string | undefined {
  if (path === "") return page;
  const place = path.startsWith("/")
    ? `/${path.slice(base.length)}`
    : join(dirname(page), path).split(sep).join("/");
  const name = decodeURI(place);
  const candidates = name.endsWith("/") ? [`${name}index.html`] : [name, `${name}.html`];
  return candidates.find((candidate) => files.has(candidate));
}
