// Example for section-process.test.ts: a test never ends.
it("hangs", function (done) {
  this.timeout(0);
  setInterval(() => void done, 1_000);
});
