// Mocha's spec reporter, with one line at the end that counts everything: `N passed, N failed, N skipped`.
// Where COUNTS_FILE is set, the counts and the failures go there, and whoever set it has the last word.
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** After how long without a word it says which test it is at, in ms. */
const SILENCE = 15_000;

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    let at = "the first test";
    const saying = setInterval(() => console.log(`    … ${at}`), SILENCE);
    runner.on("test", (test) => (at = test.fullTitle()));
    for (const event of ["suite", "pass", "fail", "pending"]) runner.on(event, () => saying.refresh());
    runner.once("end", () => {
      // The counts are the last line, unless somebody else has the last word.
      if (process.env.COUNTS_FILE) at = "what tests have left open";
      else clearInterval(saying);
      saying.unref();
    });
  }

  epilogue() {
    super.epilogue();
    const { passes: passed, failures: failed, pending: skipped } = this.stats;
    const file = process.env.COUNTS_FILE;
    const failures = this.failures.map((test) => `${test.fullTitle()}\n  ${test.err?.stack ?? test.err}`);
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped, failures }));
    else console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
};
