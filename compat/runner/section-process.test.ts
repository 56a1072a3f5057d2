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

  it("records the declared tests and their results", async () => {
    const { outcomes, problems, output } = await run("sound");
    assert.deepEqual(problems, []);
    assert.deepEqual(
      outcomes.map(({ title, state, reason, cell }) => [title, state, reason, cell?.part]),
      [
        ["knows the quick form", "passed", undefined, undefined],
        ["passes", "passed", undefined, "part"],
        ["compresses", "unsupported", "it has no zlib", "part"],
        ["needs another machine", "skipped", undefined, "part"],
        ["a topic › fails", "failed", undefined, "part"],
      ],
    );
    assert.match(output, /Error: as it should/);
  });

  it("gets the form and the options for mocha", async () => {
    const { outcomes } = await run("sound", { isFull: true, options: ["--grep", "form"] });
    assert.deepEqual(
      outcomes.map(({ title, state }) => [title, state]),
      [["knows the full form", "passed"]],
    );
  });

  it("fails if it dies, and names the test", async () => {
    const report = await run("dying");
    assert.match(String(report.problems), /^the process died .*, in “dies”$/);
    assert.deepEqual(
      report.outcomes.map(({ state }) => state),
      ["passed", "not run", "not run"],
    );
    assert.deepEqual(count([report]), { passed: 1, failed: 3, skipped: 0 });
  });

  it("fails if a hook fails", async () => {
    const report = await run("broken-hook");
    assert.match(String(report.problems), /^the hook with a hook "before all" hook: prepare.* failed$/);
    assert.deepEqual(count([report]), { passed: 0, failed: 2, skipped: 0 });
  });

  it("fails if a file cannot be loaded", async () => {
    const { problems, output } = await run("that-does-not-exist");
    assert.match(String(problems), /^the process ended with exit code \d+ before it had declared a test$/);
    assert.match(output, /that-does-not-exist/);
  });

  it("fails if something keeps it alive", async () => {
    const { problems, outcomes } = await run("lingering");
    assert.match(String(problems), /^the process did not end after its tests; left open: .*TCPServerWrap/);
    assert.deepEqual(
      outcomes.map(({ state }) => state),
      ["passed"],
    );
  });

  it("fails if timers keep it alive, unless the section runs official servers", async () => {
    assert.match(String((await run("waiting")).problems), /left open: .*Timeout/);
    assert.deepEqual((await run("waiting", { hasOfficial: true })).problems, []);
  });

  const leaving = "fails if it leaves a process behind, and kills that process";
  // finding the processes of a group needs /proc
  if (process.platform !== "linux") it(`${leaving} [not on ${process.platform}]`);
  else
    it(leaving, async () => {
      const { problems } = await run("leaving");
      const [, id] = /^processes were left behind: node \((\d+)\)$/.exec(String(problems)) ?? [];
      assert.ok(id !== undefined, String(problems));
      // it can still be a zombie
      assert.match(stateOf(id), /^(gone|Z)$/);
    });

  it("is killed if it takes too long", async () => {
    const { problems } = await run("hanging", { limit: 5_000 });
    assert.match(String(problems), /^the section took longer than .*, in “hangs”$/);
  });
});
