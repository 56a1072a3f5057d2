// Mocha's spec reporter, with one line at the end that counts everything: `N passed, N failed, N skipped`.
// Where COUNTS_FILE is set, the counts go there, and whoever set it has the last word.
const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes: passed, failures: failed, pending: skipped } = this.stats;
    const file = process.env.COUNTS_FILE;
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
    else console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
};
