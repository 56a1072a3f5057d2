import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pageFile, readDifferences, renderPage } from "../../compat/differential/page.ts";
import { root } from "./packed.ts";

describe("docs/differences.md", () => {
  const differences = readDifferences();
  const rows = differences.sections.flatMap((section) => section.rows);

  it("matches compat/differential/differences.json (`npm run docs:differences` writes it)", () => {
    assert.equal(readFileSync(pageFile, "utf8"), renderPage(differences));
  });

  it("names existing tests", () => {
    const missing = rows.flatMap((row) => row.tests).filter((file) => !existsSync(join(root, file)));
    assert.deepEqual(missing, []);
  });

  it("names the scenarios that show each row, or the reason for none", () => {
    const silent = rows.filter(
      ({ sightings = [], noScenario }) => sightings.length > 0 === (noScenario !== undefined),
    );
    assert.deepEqual(
      silent.map((row) => row.where),
      [],
    );
  });

  it("has no row without a test or a scenario", () => {
    const unshown = rows.filter(({ tests, sightings = [] }) => tests.length + sightings.length === 0);
    assert.deepEqual(
      unshown.map((row) => row.where),
      [],
    );
  });
});
