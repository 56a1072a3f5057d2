// A reload while clients connect without a break.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chosen } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { needUws } from "../support/uws/absent.ts";

const run = promisify(execFile);
const file = fileURLToPath(new URL("../support/cli/reload-under-load.ts", import.meta.url));
const node = [process.execPath, "--conditions=@tidewire/source", "--import=tsx/esm", file] as const;

/** A network of its own, in which the kernel hands over the connections of a listener that closes. */
const MIGRATING =
  'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$0" "$@"' as const;
const canMigrate = spawnSync("unshare", ["-n", "sh", "-c", MIGRATING, "true"]).status === 0;

/** Two workers stop, and each of the 16 clients has one connection that waits for one of them. */
const MOST_RESETS = 2 * 16;

interface Load {
  readonly handshakes: number;
  readonly failures: readonly string[];
}

async function reload(command: readonly string[]): Promise<Load> {
  const [program = "", ...args] = command;
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stdout } = await run(program, args, { env, timeout: 90_000 });
  return JSON.parse(stdout) as Load;
}

for (const { name } of chosen(serverHosts)) {
  describe(`a reload under load [${name}]`, function () {
    this.timeout(100_000);
    before(() => void (name === "uws" && needUws()));

    it("resets few connections at most: those that a worker has not accepted when it stops listening", async () => {
      const { handshakes, failures } = await reload([...node, name]);
      assert.ok(handshakes > 100, `${handshakes} handshakes`);
      assert.deepEqual(new Set(failures.filter((failure) => failure !== "ECONNRESET")), new Set());
      assert.ok(failures.length <= MOST_RESETS, `${failures.length} of ${handshakes}`);
    });

    const refusesNone = "refuses no connection with tcp_migrate_req=1";
    if (canMigrate)
      it(refusesNone, async () => {
        const { handshakes, failures } = await reload([
          "unshare",
          "-n",
          "sh",
          "-c",
          MIGRATING,
          ...node,
          name,
        ]);
        assert.ok(handshakes > 100, `${handshakes} handshakes`);
        assert.deepEqual(failures, []);
      });
    else it(`${refusesNone} [needs Linux 5.14, and the right to make a network namespace]`);
  });
}
