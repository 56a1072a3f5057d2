import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readStartOptions } from "../src/commands/start-options.ts";

describe("the arguments of tidewire start", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    writeFileSync(join(folder, "server.js"), "");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("have defaults", () => {
    assert.deepEqual(readStartOptions(["server.js"], folder), {
      script: join(folder, "server.js"),
      args: [],
      workers: availableParallelism(),
      readyTimeout: 30_000,
      drainTime: 5_000,
      stopTimeout: 10_000,
      prefix: true,
    });
  });

  it("may stand before and after the script, whose own follow after --", () => {
    const given = ["-w", "3", "--no-prefix", "server.js", "--ready-timeout", "0.5", "--", "--workers", "9"];
    assert.deepEqual(readStartOptions(given, folder), {
      script: join(folder, "server.js"),
      args: ["--workers", "9"],
      workers: 3,
      readyTimeout: 500,
      drainTime: 5_000,
      stopTimeout: 10_000,
      prefix: false,
    });
  });

  for (const [args, message] of [
    [[], "name the script to run, such as: tidewire start server.js"],
    [["nowhere.js"], /^there is no file \/.*nowhere\.js$/],
    [["."], /^there is no file /],
    [["server.js", "other.js"], /"other.js" is a second; arguments of the script follow after --$/],
    [["server.js", "--workers", "0"], '--workers is auto, or a whole number from 1 to 1024, not "0"'],
    [["server.js", "--workers", "2.5"], '--workers is auto, or a whole number from 1 to 1024, not "2.5"'],
    [
      ["server.js", "--stop-timeout", "soon"],
      '--stop-timeout is a number of seconds from 0 to 86400, not "soon"',
    ],
    [["server.js", "--port", "1"], /^unknown option '--port'; arguments of the script follow after --$/],
    [["server.js", "--workers"], /^option '-w, --workers <value>' argument missing; /],
  ] as const)
    it(`are refused: ${args.join(" ") || "none"}`, () => {
      assert.throws(() => readStartOptions(args, folder), { name: "UsageError", message });
    });
});
