// Example for section-process.test.ts: a test leaves a server listening.
import { createServer } from "node:http";

it("does not close its server", (done) => {
  createServer().listen(0, "127.0.0.1", () => done());
});
