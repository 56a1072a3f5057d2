import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { count } from "../report/results.ts";
import { runSection, type SectionReport, type SectionRun } from "./section-process.ts";

function run(example: string, changes: Partial<SectionRun> = {}): Promise<SectionReport> {
  const files = [`compat/runner/examples/${example}.ts`];
  return runSection({
    name: example,
    files,
    isFull: false,
    options: [],
    limit: 60_000,
    grace: 500,
    ...changes,
  });
}

function stateOf(id: string): string {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${id}/stat`, "utf8"))?.[1] ?? "unknown";
  } catch {
    return "gone";
  }
}

describe("compat: the process of a section", function () {
  // each test starts a process, which loads mocha and tsx
  this.timeout(60_000);

  it("tells what was declared, and what became of it", async () => {
    const { outcomes, problems, output } = await run("sound");
    assert.deepEqual(problems, []);
    assert.deepEqual(
      outcomes.map(({ title, state, reason, cell }) => [title, state, reason, cell?.part]),
      [
        ["knows the quick form", "passed", undefined, undefined],
        ["passes", "passed", undefined, "part"],
        ["flies", "unsupported", "it has no wings", "part"],
        ["waits for a machine that has it", "skipped", undefined, "part"],
        ["a topic › fails", "failed", undefined, "part"],
      ],
    );
    assert.match(output, /Error: as it should/);
  });

  it("is told the form, and which tests are wanted", async () => {
    const { outcomes } = await run("sound", { isFull: true, options: ["--grep", "form"] });
    assert.deepEqual(
      outcomes.map(({ title, state }) => [title, state]),
      [["knows the full form", "passed"]],
    );
  });

  it("has failed when it dies, and the test is named", async () => {
    const report = await run("dying");
    assert.match(String(report.problems), /^the process died .*, in “dies”$/);
    assert.deepEqual(
      report.outcomes.map(({ state }) => state),
      ["passed", "not run", "not run"],
    );
    assert.deepEqual(count([report]), { passed: 1, failed: 3, skipped: 0 });
  });

  it("has failed when a hook fails", async () => {
    const report = await run("broken-hook");
    assert.match(String(report.problems), /^the hook with a hook "before all" hook: prepare.* failed$/);
    assert.deepEqual(count([report]), { passed: 0, failed: 2, skipped: 0 });
  });

  it("has failed when a file cannot be loaded", async () => {
    const { problems, output } = await run("that-does-not-exist");
    assert.match(String(problems), /^the process ended with exit code \d+ before it had declared a test$/);
    assert.match(output, /that-does-not-exist/);
  });

  it("has failed when something keeps it alive", async () => {
    const { problems, outcomes } = await run("lingering");
    assert.match(String(problems), /^the process did not end after its tests; left open: .*TCPServerWrap/);
    assert.deepEqual(
      outcomes.map(({ state }) => state),
      ["passed"],
    );
  });

  it("has failed for timers that run on, unless they are the official server's", async () => {
    assert.match(String((await run("waiting")).problems), /left open: .*Timeout/);
    assert.deepEqual((await run("waiting", { hasOfficial: true })).problems, []);
  });

  const leaving = "has failed when it leaves a process behind, which is ended";
  // the processes of a group are read from /proc
  if (process.platform !== "linux") it(`${leaving} [not on ${process.platform}]`);
  else
    it(leaving, async () => {
      const { problems } = await run("leaving");
      const [, id] = /^processes were left behind: node \((\d+)\)$/.exec(String(problems)) ?? [];
      assert.ok(id !== undefined, String(problems));
      // nobody may have asked yet how it ended
      assert.match(stateOf(id), /^(gone|Z)$/);
    });

  it("is ended when it takes too long", async () => {
    const { problems } = await run("hanging", { limit: 5_000 });
    assert.match(String(problems), /^the section took longer than .*, in “hangs”$/);
  });
});
