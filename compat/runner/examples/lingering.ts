// Tests for the runner to run: a server is left listening.
import { createServer } from "node:http";

it("forgets its server", (done) => {
  createServer().listen(0, "127.0.0.1", () => done());
});
