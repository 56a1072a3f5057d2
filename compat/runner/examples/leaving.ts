// Tests for the runner to run: a process is left behind.
import { spawn } from "node:child_process";

it("forgets its process", () => {
  spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" }).unref();
});
