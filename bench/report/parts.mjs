// The parts of pages that the bench writes, between markers.
import { readFileSync, writeFileSync } from "node:fs";

/** Replaces the text between the markers of a part. */
export function replacePart(file, part, text) {
  const page = readFileSync(file, "utf8");
  const [start, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`${file.pathname} has no ${start} and ${end}`);
  writeFileSync(file, `${page.slice(0, from + start.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}
