import type { RootHookObject } from "mocha";

/** How long each test may take on CI at least, in ms: its machine may be busy, and this costs time only where something hangs. */
const LEAST = 90_000;

function beforeEach(this: Mocha.Context): void {
  const test = this.currentTest;
  if (test !== undefined && test.timeout() > 0 && test.timeout() < LEAST) test.timeout(LEAST);
}

export const mochaHooks: RootHookObject = process.env["CI"] === undefined ? {} : { beforeEach };
