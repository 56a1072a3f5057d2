import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "vitepress";
import { brokenLinks } from "./links.ts";
import { dist, docs, root } from "./paths.ts";
import { writeReference } from "./reference.ts";

/** What is generated, or comes from elsewhere. */
const GENERATED = /(?:^|[\\/])(?:node_modules|api|dist|cache)(?:$|[\\/])/;

/**
 * Builds the site: the API reference, the pages, and then a check of all links.
 *
 * @throws Error for warnings, dead links, and requests to other hosts
 */
export async function buildSite(): Promise<void> {
  await writeReference();
  await build(docs);
  const problems = brokenLinks(process.env["DOCS_BASE"] ?? "/");
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** Whether the built site is newer than everything it is made of. */
export function isUpToDate(): boolean {
  const built = modified(join(dist, "index.html"));
  if (built === undefined) return false;
  const sources = [
    docs,
    join(root, "examples", "shared"),
    ...readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src")),
  ];
  return sources.flatMap(filesIn).every((file) => (modified(file) ?? 0) < built);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return GENERATED.test(entry.name) ? [] : filesIn(path);
  });
}

/** In ms since 1970; undefined if there is no such file. */
function modified(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
