// Example for section-process.test.ts: a test leaves a process behind.
import { spawn } from "node:child_process";

it("does not stop its process", () => {
  spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" }).unref();
});
