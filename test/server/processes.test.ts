// Servers where the process is not one thread of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../support/hosts/free-port.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { needUws } from "../support/uws/absent.ts";

const run = promisify(execFile);

/** Runs a file of test/support/processes from the sources; rejects unless it ends with exit code 0. */
function runSupport(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const file = fileURLToPath(new URL(`../support/processes/${name}.ts`, import.meta.url));
  const node = ["--conditions=@tidewire/source", "--import=tsx/esm", file, ...args];
  return run(process.execPath, node, { timeout: 50_000, env: { ...process.env, NODE_OPTIONS: "" } });
}

describe("a server in a worker thread", () => {
  it("listens on node:http, warns once, and ends with its thread", async () => {
    const { stdout, stderr } = await runSupport("servers-in-a-thread");
    const one = { status: 200, isNode: true };
    assert.deepEqual(JSON.parse(stdout), [one, one], stderr);
    assert.equal(stderr.match(/TIDEWIRE_WORKER_THREAD/g)?.length, 1, stderr);
  }).timeout(60_000);
});

describe("servers in workers of node:cluster", () => {
  for (const { name } of serverHosts) {
    it(`share their port on ${name}`, async () => {
      if (name === "uws") needUws();
      const { stdout } = await runSupport("servers-in-a-cluster", String(await freePort()), name);
      const one = { event: "listening", isNode: name === "node" };
      assert.deepEqual(JSON.parse(stdout), { seen: [one, one], status: 200 });
    }).timeout(60_000);
  }
});
