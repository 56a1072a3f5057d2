import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const project = fileURLToPath(new URL("types-official.tsconfig.json", import.meta.url));

describe("the tests of types", () => {
  it("hold for the official server, too", async () => {
    const compiler = spawn(`${root}node_modules/.bin/tsc`, ["--noEmit", "-p", project], { cwd: root });
    const [output, [status]] = await Promise.all([text(compiler.stdout), once(compiler, "exit")]);
    assert.deepEqual([output, status], ["", 0]);
  }).timeout(120_000);
});
