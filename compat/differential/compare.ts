// Finds where two transcripts differ, and which of the listed differences explain it.
import type { Difference, Sighting } from "./page.ts";
import type { Transcript } from "./recorder.ts";
import type { OurHost } from "./targets.ts";

/** Lines of the official server in one lane, and ours in their place. */
export interface Hunk {
  lane: string;
  official: readonly string[];
  here: readonly string[];
}

export interface Place {
  scenario: string;
  host: OurHost;
}

/** The hunks that no listed difference explains, and the sightings that were seen. */
export interface Verdict {
  unexplained: Hunk[];
  seen: Set<Sighting>;
}

export function compare(
  official: Transcript,
  here: Transcript,
  place: Place,
  differences: readonly Difference[],
): Verdict {
  const sightings = differences.flatMap((row) => row.sightings ?? []);
  const verdict: Verdict = { unexplained: [], seen: new Set() };
  const lanes = new Set([...official.keys(), ...here.keys()]);
  for (const lane of lanes) {
    const candidates = sightings
      .filter((sighting) => concerns(sighting, place, lane))
      .toSorted((left, right) => extent(right) - extent(left));
    for (const hunk of hunksOf(lane, official.get(lane) ?? [], here.get(lane) ?? [])) {
      const rest = explain(hunk, candidates, verdict.seen);
      if (rest.official.length + rest.here.length > 0) verdict.unexplained.push(rest);
    }
  }
  return verdict;
}

/** The text of a hunk in an error message. */
export function printed({ lane, official, here }: Hunk): string {
  return [`@@ ${lane}`, ...official.map((line) => `- ${line}`), ...here.map((line) => `+ ${line}`)].join(
    "\n",
  );
}

function concerns(sighting: Sighting, { scenario, host }: Place, lane: string): boolean {
  if (sighting.host !== undefined && sighting.host !== host) return false;
  if (sighting.lane !== undefined && !wildcard(sighting.lane).test(lane)) return false;
  return isIn(sighting, scenario);
}

/** Whether the sighting applies to the scenario. */
export function isIn(sighting: Sighting, scenario: string): boolean {
  return wildcard(sighting.in).test(scenario);
}

/** Orders sightings: those that cover more come first. */
function extent({ official = "", here = "" }: Sighting): number {
  return `${official}${here}`.split("\n").length * 1000 + `${official}${here}`.length;
}

/** Removes the lines that sightings cover from the hunk, until no sighting covers any more. */
function explain(hunk: Hunk, sightings: readonly Sighting[], seen: Set<Sighting>): Hunk {
  let rest = hunk;
  for (let progress = true; progress;) {
    progress = false;
    for (const sighting of sightings) {
      const official = without(rest.official, sighting.official);
      const here = without(rest.here, sighting.here);
      if (!official || !here) continue;
      rest = { lane: hunk.lane, official, here };
      seen.add(sighting);
      progress = true;
    }
  }
  return rest;
}

/** The lines without the first run that matches the pattern; undefined if none matches. */
function without(lines: readonly string[], pattern: string | undefined): readonly string[] | undefined {
  if (pattern === undefined) return lines;
  const wanted = pattern.split("\n");
  for (let start = 0; start < lines.length; start++) {
    const length = matchLength(lines.slice(start), wanted);
    if (length !== undefined) return lines.toSpliced(start, length);
  }
  return undefined;
}

/** How many of the first lines the wanted patterns match; undefined if they do not match. */
function matchLength(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const [first, ...others] = wanted;
  if (first === undefined) return 0;
  if (first === "**") {
    for (let length = lines.length; length >= 0; length--) {
      const rest = matchLength(lines.slice(length), others);
      if (rest !== undefined) return length + rest;
    }
    return undefined;
  }
  const [line, ...following] = lines;
  if (line === undefined || !wildcard(first).test(line)) return undefined;
  const rest = matchLength(following, others);
  return rest === undefined ? undefined : rest + 1;
}

const wildcards = new Map<string, RegExp>();

function wildcard(pattern: string): RegExp {
  const known = wildcards.get(pattern);
  if (known) return known;
  const source = pattern.split("*").map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const made = new RegExp(`^${source.join(".*")}$`, "s");
  wildcards.set(pattern, made);
  return made;
}

/** The differences between two lists of lines, by their longest common subsequence. */
function hunksOf(lane: string, official: readonly string[], here: readonly string[]): Hunk[] {
  const common = commonLengths(official, here);
  const hunks: Hunk[] = [];
  let [left, right] = [0, 0];
  let open: { official: string[]; here: string[] } | undefined;
  while (left < official.length || right < here.length) {
    if (left < official.length && official[left] === here[right]) {
      open = undefined;
      left++;
      right++;
      continue;
    }
    if (!open) {
      open = { official: [], here: [] };
      hunks.push({ lane, ...open });
    }
    const isOfficial =
      right === here.length ||
      (left < official.length && common[left + 1]![right]! >= common[left]![right + 1]!);
    if (isOfficial) open.official.push(official[left++]!);
    else open.here.push(here[right++]!);
  }
  return hunks;
}

/** For each pair of positions, the length of the longest common subsequence of the remaining lines. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => Array.from(right, () => 0).concat(0));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const [same, skipLeft, skipRight] = [lengths[i + 1]![j + 1]!, lengths[i + 1]![j]!, lengths[i]![j + 1]!];
      lengths[i]![j] = left[i] === right[j] ? same + 1 : Math.max(skipLeft, skipRight);
    }
  }
  return lengths;
}
