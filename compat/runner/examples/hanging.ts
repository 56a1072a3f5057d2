// Tests for the runner to run: one never ends.
it("hangs", function (done) {
  this.timeout(0);
  setInterval(() => void done, 1_000);
});
