import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { io as connectClient } from "socket.io-client";
import { loadUws } from "../../packages/engine/src/host/uws/load.ts";
import { bundles } from "./bundlers.ts";
import { pack, root } from "./packed.ts";

interface Seen {
  readonly host: string;
  /** The status of two requests for a client file, and whether the first one's body is the file. */
  readonly statuses: readonly number[];
  readonly isClient: boolean;
  /** The warnings about client files. */
  readonly warnings: readonly string[];
}

/** Runs a bundle, connects an official client by each transport, and asks for a client file. */
async function run(file: string, cwd: string): Promise<Seen> {
  const env = { ...process.env, NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [file], { cwd, env });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  try {
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([once(lines, "line"), once(child, "exit")])) as [unknown];
    assert.equal(typeof line, "string", stderr);
    const { port, host } = JSON.parse(String(line)) as { port: number; host: string };
    for (const transport of ["polling", "websocket"]) {
      const url = `http://127.0.0.1:${port}`;
      const client = connectClient(url, { forceNew: true, transports: [transport], reconnection: false });
      try {
        assert.equal(await client.emitWithAck("say", "hello", Buffer.from([1, 2])), 7, transport);
      } finally {
        client.close();
      }
    }
    const url = `http://127.0.0.1:${port}/socket.io/socket.io.min.js`;
    const responses = [await fetch(url), await fetch(url)];
    const body = await responses[0]!.text();
    await responses[1]!.text();
    return {
      host,
      statuses: responses.map(({ status }) => status),
      isClient: /^\/\*!\s+\* Socket\.IO v4\./.test(body),
      get warnings() {
        return stderr.split("\n").filter((text) => text.includes("client files"));
      },
    };
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "close");
  }
}

describe("bundled into one file", function () {
  this.timeout(120_000);

  let packed: string;
  /** A folder that contains only the bundle. */
  let alone: string;
  before(async () => {
    packed = (await pack()).folder;
    alone = mkdtempSync(join(tmpdir(), "tidewire-bundles-"));
  });
  after(() => rmSync(alone, { recursive: true, force: true }));

  for (const [index, [name, bundle]] of Object.entries(bundles).entries()) {
    describe(`by ${name}`, () => {
      let folder: string;
      let file: string;
      before(async () => {
        folder = join(alone, String(index));
        mkdirSync(folder);
        file = await bundle(join(packed, "bundled"), folder);
      });

      it("serves official clients with only the bundle", async () => {
        const { host, statuses, isClient, warnings } = await run(file, folder);
        assert.equal(host, "node");
        if (name === "ncc") {
          // It copies the files of paths that it understands.
          assert.deepEqual(
            { statuses, isClient, warnings },
            { statuses: [200, 200], isClient: true, warnings: [] },
          );
        } else {
          assert.deepEqual({ statuses, isClient }, { statuses: [404, 404], isClient: false });
          assert.equal(warnings.length, 1);
          assert.match(warnings[0]!, /Copy .*client-dist.*serveClient/);
        }
      });

      it("serves the client files from client-dist beside it, from any working directory", async () => {
        cpSync(join(packed, "node_modules/@tidewire/server/client-dist"), join(folder, "client-dist"), {
          recursive: true,
        });
        const { statuses, isClient, warnings } = await run(join(folder, file), tmpdir());
        assert.deepEqual(
          { statuses, isClient, warnings },
          { statuses: [200, 200], isClient: true, warnings: [] },
        );
      });

      it("loads the client files, and uWebSockets.js if it is available here, from node_modules", async () => {
        const installed = join(alone, `${index}-installed`);
        mkdirSync(join(installed, "node_modules"), { recursive: true });
        symlinkSync(join(packed, "node_modules/@tidewire"), join(installed, "node_modules/@tidewire"), "dir");
        symlinkSync(
          join(root, "node_modules/uWebSockets.js"),
          join(installed, "node_modules/uWebSockets.js"),
          "dir",
        );
        cpSync(folder, join(installed, "dist"), {
          recursive: true,
          filter: (path) => !path.endsWith("client-dist"),
        });
        const { host, statuses, isClient, warnings } = await run(join("dist", file), installed);
        assert.equal(host, loadUws() instanceof Error ? "node" : "uws");
        assert.deepEqual(
          { statuses, isClient, warnings },
          { statuses: [200, 200], isClient: true, warnings: [] },
        );
      });
    });
  }
});
