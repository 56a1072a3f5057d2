// Runs each scenario against the official server and ours, on both hosts; see README.md. DIFFERENTIAL_PRINT=1 prints the
// official transcripts.
import assert from "node:assert/strict";
import { cell } from "../support/cell.ts";
import { compare, isIn, printed } from "./compare.ts";
import type { Difference, Sighting } from "./page.ts";
import { readDifferences } from "./page.ts";
import { scenarios, type Part, type Scenario, type Way } from "./scenario.ts";
import { Schedule, type Pair } from "./schedule.ts";
import { ourHosts, type OurHost } from "./targets.ts";
import "./scenarios/index.ts";

const versions: Readonly<Record<Part, string>> = { "socket.io": "4.8.4", "engine.io": "6.6.13" };
const wayNames: readonly Way[] = ["polling", "websocket", "upgrade", "any"];
const rows: readonly Difference[] = readDifferences().sections.flatMap((section) => section.rows);
const schedule = new Schedule();
/** The scenarios that were compared and the sightings that were seen, by host. */
const compared: Record<OurHost, Set<string>> = { uws: new Set(), node: new Set() };
const seen: Record<OurHost, Set<Sighting>> = { uws: new Set(), node: new Set() };

for (const part of ["socket.io", "engine.io"] as const) {
  for (const host of ourHosts) {
    for (const transport of wayNames) declareCell(part, host, transport);
  }
}

function declareCell(part: Part, host: OurHost, transport: Way): void {
  const chosen = scenarios
    .filter((scenario) => scenario.part === part && scenario.transport === transport)
    .toSorted((left, right) => Number(left.alone) - Number(right.alone));
  if (chosen.length === 0) return;
  cell({ group: "Official server", part, version: versions[part], host, transport }, () => {
    for (const scenario of chosen) {
      const result = schedule.add(scenario, host);
      it(scenario.name, async function () {
        this.timeout(60_000);
        judge(scenario, host, await result());
      });
    }
  });
}

function judge({ name }: Scenario, host: OurHost, { official, here }: Pair): void {
  if (process.env["DIFFERENTIAL_PRINT"]) print(name, official);
  const late = official.get("late") ?? [];
  if (late.length > 0)
    throw new Error(`the official server does not do what the scenario waits for: ${late.join()}`);
  const verdict = compare(official, here, { scenario: name, host }, rows);
  compared[host].add(name);
  for (const sighting of verdict.seen) seen[host].add(sighting);
  if (verdict.unexplained.length > 0) {
    throw new Error(`differences that are not listed\n${verdict.unexplained.map(printed).join("\n")}`);
  }
}

function print(name: string, transcript: Pair["official"]): void {
  const lanes = [...transcript].map(([lane, lines]) => [`@@ ${lane}`, ...lines].join("\n"));
  process.stdout.write(`\n== ${name}\n${lanes.join("\n")}\n`);
}

describe("compat: differences.json", () => {
  it("names existing scenarios, and says what they show", () => {
    const names = [...scenarios.map((scenario) => scenario.name), "random 1"];
    const idle = rows
      .flatMap((row) => row.sightings ?? [])
      .filter((sighting) => {
        const isEmpty = sighting.official === undefined && sighting.here === undefined;
        return isEmpty || !names.some((name) => isIn(sighting, name));
      });
    assert.deepEqual(idle, []);
  });

  for (const host of ourHosts) {
    it(`has no sighting that its scenarios do not show on ${host}`, () => {
      const gone = rows.flatMap((row) =>
        vanished(row, host).map((sighting) => `${row.where}: ${JSON.stringify(sighting)}`),
      );
      assert.deepEqual(gone, []);
    });
  }
});

/** The sightings that were not seen, although all their scenarios were compared. */
function vanished(row: Difference, host: OurHost): Sighting[] {
  return (row.sightings ?? []).filter((sighting) => {
    if (sighting.host !== undefined && sighting.host !== host) return false;
    const names = scenarios.map((scenario) => scenario.name).filter((name) => isIn(sighting, name));
    // a sighting of random scenarios only occurs with some seeds
    if (names.length === 0 && sighting.in.startsWith("random ")) return false;
    return names.every((name) => compared[host].has(name)) && !seen[host].has(sighting);
  });
}
