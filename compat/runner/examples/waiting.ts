// Tests for the runner to run: a timer runs on.
it("forgets its timer", () => {
  setTimeout(() => {}, 60_000);
});
