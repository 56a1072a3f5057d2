// Tests for the runner to run: the second one takes the process with it.
it("passes", () => {});

it("dies", () => {
  process.kill(process.pid, "SIGKILL");
});

it("is never run", () => {});
