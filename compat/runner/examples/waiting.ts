// Example for section-process.test.ts: a test leaves a timer running.
it("does not clear its timer", () => {
  setTimeout(() => {}, 60_000);
});
