// Example for section-process.test.ts: the second test kills the process.
it("passes", () => {});

it("dies", () => {
  process.kill(process.pid, "SIGKILL");
});

it("never runs", () => {});
