import assert from "node:assert/strict";
import { linesOf, programsOf } from "../support/process/program.ts";

/** What the programs of the page print, in order. */
const printed: readonly { title: string; lines: readonly string[] }[] = [
  { title: "refuses a stranger", lines: ["Ada", "unknown key 401"] },
  {
    title: "refreshes tokens until they end",
    lines: [
      "Ada is here",
      "refreshed",
      "Ada has left: AUTH_EXPIRED",
      "ended: AUTH_EXPIRED",
      "Ada is here",
      "back with a new token",
      "Ada has left: undefined",
    ],
  },
  {
    title: "follows a session of the page",
    lines: [
      "Ada is here",
      "hello, Ada",
      "connected: true",
      "{ code: 'AUTH_REFUSED', message: 'not logged in' }",
    ],
  },
  {
    title: "checks again who is banned",
    lines: ["{ code: 'AUTH_REFUSED', message: 'banned' } io server disconnect", "banned"],
  },
];

describe("docs/auth.md", () => {
  const programs = programsOf("docs/auth.md");

  it("has a test for every program", () => {
    assert.equal(programs.length, printed.length);
  });

  for (const [i, { title, lines }] of printed.entries()) {
    it(`has a program that ${title}`, async () => {
      assert.deepEqual(await linesOf(programs[i]!), lines);
    });
  }
});
