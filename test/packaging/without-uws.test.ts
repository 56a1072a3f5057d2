import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { io as connectClient } from "socket.io-client";
import { next } from "../support/waiting/events.ts";
import { evaluate, output, pack } from "./packed.ts";

/** Two servers, so that a warning per server would show; it ends when its input does. */
const server = `
const { Server } = require("@tidewire/server");
const servers = [new Server(0), new Server(0)];
for (const io of servers) {
  io.on("connection", (socket) => {
    socket.on("say", (text, data, done) => {
      io.emit("said", text, data);
      done(text.length);
    });
  });
}
const [{ httpServer }] = servers;
console.log(JSON.stringify({ port: httpServer.address().port, node: httpServer instanceof require("node:http").Server }));
process.stdin.on("end", () => Promise.all(servers.map((io) => io.close()))).resume();
`;

describe("without uWebSockets.js", function () {
  this.timeout(60_000);
  before(() => pack());

  it("cannot be found by the installed packages", async () => {
    const script = `
      let code = "found";
      try { require("node:module").createRequire(require.resolve("@tidewire/engine"))("uWebSockets.js"); } catch (error) { code = error.code; }
      console.log(JSON.stringify(code));`;
    assert.equal(await evaluate("hidden.cjs", script), "MODULE_NOT_FOUND");
  });

  it("serves official clients on node:http, and warns exactly once", async () => {
    const { folder } = await pack();
    writeFileSync(join(folder, "server.cjs"), server);
    const child = spawn(process.execPath, ["server.cjs"], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    try {
      const lines = createInterface({ input: child.stdout });
      const [line] = (await Promise.race([once(lines, "line"), once(child, "exit")])) as [unknown];
      assert.equal(typeof line, "string", stderr);
      const { port, node } = JSON.parse(String(line)) as { port: number; node: boolean };
      assert.equal(node, true);
      for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
        const client = connectClient(`http://127.0.0.1:${port}`, {
          forceNew: true,
          transports,
          reconnection: false,
        });
        try {
          const said = next(client, "said");
          assert.equal(await client.emitWithAck("say", "hello", Buffer.from([1, 2])), 5);
          assert.deepEqual(await said, ["hello", Buffer.from([1, 2])]);
        } finally {
          client.close();
        }
      }
    } finally {
      child.stdin.end();
      await (child.exitCode === null ? once(child, "exit") : undefined);
    }
    const warnings = stderr.split("\n").filter((text) => text.includes("uWebSockets.js"));
    assert.equal(warnings.length, 1, stderr);
    assert.match(String(warnings[0]), /node:http/);
  });

  it("does not warn when node:http is requested, or a server is given", async () => {
    const { folder } = await pack();
    const script = `
      const { Server } = require("@tidewire/server");
      const io = new Server(0, { host: "node" });
      const other = new Server(require("node:http").createServer().listen(0));
      setImmediate(() => { io.close(); other.close(); });`;
    writeFileSync(join(folder, "silent.cjs"), script);
    assert.deepEqual(await output(process.execPath, ["silent.cjs"], folder), {
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  it("refuses host: 'uws' with an explanation", async () => {
    const script = `
      let message = "";
      try { new (require("@tidewire/server").Server)(0, { host: "uws" }); } catch (error) { message = error.message; }
      console.log(JSON.stringify(message));`;
    assert.match(
      String(await evaluate("refused.cjs", script)),
      /^uWebSockets\.js is not installed: npm install uNetworking\//,
    );
  });
});
