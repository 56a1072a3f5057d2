// The command line as a user gets it; `tidewire start` with scripts of both kinds, and with the server under the official name.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Server } from "@tidewire/server";
import { freePort } from "../support/hosts/free-port.ts";
import { ask, anyConnected, openAnyClient } from "../support/cluster/any-client.ts";
import { closing } from "../support/waiting/closing.ts";
import { within } from "../support/waiting/queue.ts";
import { pack, unpack } from "./packed.ts";

const application = `
const io = new Server(Number(process.env.PORT), { host: "node" });
io.on("connection", (socket) => {
  socket.on("pid", (reply) => reply(process.pid));
  socket.on("count", async (reply) => reply(await io.in("all").count()));
  socket.on("shout", (word) => io.emit("shouted", word));
  socket.join("all");
});
`;

const scripts: Readonly<Record<string, string>> = {
  "server.cjs": `const { Server } = require("@tidewire/server");${application}`,
  "server.mjs": `import { Server } from "@tidewire/server";${application}`,
  "alias.mjs": `import { Server } from "socket.io";${application}`,
};

const run = promisify(execFile);

describe("the installed command", function () {
  this.timeout(120_000);

  before(async () => {
    const { folder, tarballs } = await pack();
    // A second copy, as npm i socket.io@npm:@tidewire/server makes it.
    const alias = join(folder, "node_modules/socket.io");
    if (!existsSync(alias)) await unpack(tarballs.server, alias);
  });

  it("talks to a server, and examines it", async () => {
    const { folder } = await pack();
    const io = new Server(0, { host: "node", pingInterval: 500 });
    io.on("connection", (socket) => {
      socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
      socket.emit("hello");
    });
    if (!io.httpServer.listening) await once(io.httpServer, "listening");
    const url = `http://127.0.0.1:${(io.httpServer.address() as AddressInfo).port}`;
    const tidewire = async (...args: string[]): Promise<string> => {
      const bin = join(folder, "node_modules/tidewire/bin/tidewire.cjs");
      const { stdout } = await run(process.execPath, [bin, ...args], { cwd: folder });
      return stdout;
    };
    try {
      assert.equal(await tidewire("emit", "--ack", url, "echo", "[1]"), "[1]\n");
      assert.match(await tidewire("listen", url, "--count", "1"), / hello\n$/);
      assert.match(
        await tidewire("load", url, "-c", "2", "-d", "0.2", "-e", "echo", "--data", "1"),
        /^errors +none$/m,
      );
      assert.match(await tidewire("doctor", url), /\nAll is well\.\n$/);
      assert.match(await tidewire("help"), /^ {2}migrate /m);
      assert.match(await tidewire("--version"), /^4\.\d+\.\d+\n$/);
    } finally {
      await io.close();
    }
  });

  for (const [name, script] of Object.entries(scripts))
    it(`starts ${name} twice, as one server`, async () => {
      const { folder } = await pack();
      writeFileSync(join(folder, name), script);
      const port = await freePort();
      const args = [join(folder, "node_modules/tidewire/bin/tidewire.cjs"), "start", "--workers", "2", name];
      const env = { ...process.env, NODE_OPTIONS: "", PORT: String(port) };
      const child = spawn(process.execPath, args, { cwd: folder, env });
      using _child = closing(() => void child.kill("SIGKILL"));
      const ended = once(child, "close");
      const lines: string[] = [];
      const ready = new Promise<void>((resolve) => {
        for (const stream of [child.stdout, child.stderr])
          createInterface({ input: stream }).on("line", (line) => {
            lines.push(line);
            if (lines.filter((each) => each.includes(" is ready on port ")).length === 2) resolve();
          });
      });
      await within(Promise.race([ready, ended]), `the workers: ${lines.join("\n")}`, 60_000);

      const clients = Array.from({ length: 12 }, () => openAnyClient("4", `http://127.0.0.1:${port}`));
      using _clients = closing(() => clients.forEach((client) => void client.close()));
      await Promise.all(clients.map(anyConnected));
      const pids = await Promise.all(clients.map((client) => ask<number>(client, "pid")));
      assert.equal(new Set(pids).size, 2, lines.join("\n"));
      assert.equal(await ask(clients[0]!, "count"), clients.length);
      const heard = clients.map((client) => new Promise((resolve) => client.once("shouted", resolve)));
      clients[0]!.emit("shout", "hello");
      assert.deepEqual(await within(Promise.all(heard), "the shout"), Array(12).fill("hello"));

      child.kill("SIGTERM");
      assert.equal((await ended)[0], 0, lines.join("\n"));
    });
});
