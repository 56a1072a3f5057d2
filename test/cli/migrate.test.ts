// `tidewire migrate` in projects on the disk.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { migrateCommand } from "../../packages/cli/src/commands/migrate.ts";
import { runCommand } from "../support/cli/run.ts";

interface Project extends Disposable {
  readonly folder: string;
}

function project(files: Readonly<Record<string, string>>): Project {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

const application = `import { Server } from "socket.io";

// io.engine.verify() was here
const io = new Server(3000, {
  allowUpgrades: false,
});
io.on("connection", (socket) => {
  socket.on("disconnect", (reason) => reason === "forced server close");
});
`;

describe("tidewire migrate", () => {
  it("prints what differs with the files and lines, and what to do", async () => {
    using given = project({
      "package.json": '{\n  "dependencies": {\n    "socket.io": "^4.8.1"\n  }\n}\n',
      "src/server.ts": application,
      "deploy/nginx.conf":
        "location /socket.io/ {\n  # proxy_http_version 1.1;\n  proxy_pass http://app;\n}\n",
      "node_modules/other/index.js": application,
      "dist/server.js": application,
      ".git/server.js": application,
      "public/application.min.js": application,
      "README.md": application,
    });
    const { code, out, err } = await runCommand(migrateCommand, [given.folder]);
    assert.deepEqual([code, err], [1, ""]);
    assert.equal(
      out,
      `change  The project uses the official server.
        npm install socket.io@npm:@tidewire/server keeps the name, so that no import changes.
        package.json:3  "socket.io": "^4.8.1"

change  nginx may speak HTTP/1.0 to the server, which uWebSockets.js answers with 505.
        proxy_http_version 1.1;
        deploy/nginx.conf:3  proxy_pass http://app;

check   A server that is given a port listens on uWebSockets.js.
        Nothing, if proxies and health checks use HTTP/1.1. With { host: "node" } it listens on node:http.
        src/server.ts:4  const io = new Server(3000, {

check   A protocol violation always ends with the reason forced close.
        Handle forced close in the same way.
        src/server.ts:8  socket.on("disconnect", (reason) => reason === "forced server close");

check   With allowUpgrades: false, upgrades are refused, and not only unadvertised.
        Nothing, unless clients upgrade although they were not offered it.
        src/server.ts:5  allowUpgrades: false,

3 files read: 2 places to change, 3 places to check.
docs/differences.md of Tidewire lists everything that differs, with the reasons.
`,
    );
  });

  it("ends with 0 if nothing has to change", async () => {
    using given = project({
      "package.json": '{ "dependencies": { "socket.io": "npm:@tidewire/server@^4.9.0" } }',
      "server.js": application,
    });
    const { code, out } = await runCommand(migrateCommand, [given.folder]);
    assert.equal(code, 0);
    assert.match(out, /^2 files read: 0 places to change, 3 places to check\.$/m);
  });

  it("prints JSON for programs", async () => {
    using given = project({
      "a.js": 'io.engine.on("connection_error", a);\r\nio.engine.on("connection_error", b);\r\n',
    });
    const { code, out } = await runCommand(migrateCommand, ["--json", given.folder]);
    assert.equal(code, 0);
    const { files, changes, checks, findings } = JSON.parse(out) as {
      files: number;
      changes: number;
      checks: number;
      findings: { id: string; level: string; places: unknown[] }[];
    };
    assert.deepEqual([files, changes, checks], [1, 0, 2]);
    assert.deepEqual(
      findings.map(({ id, level, places }) => ({ id, level, places })),
      [
        {
          id: "connection-error",
          level: "check",
          places: [
            { file: "a.js", line: 1, text: 'io.engine.on("connection_error", a);' },
            { file: "a.js", line: 2, text: 'io.engine.on("connection_error", b);' },
          ],
        },
      ],
    );
  });

  it("refuses a folder that does not exist, and a second one", async () => {
    for (const [args, message] of [
      [["/nowhere"], "there is no folder /nowhere"],
      [["a", "b"], 'there is one folder, and "b" is a second'],
    ] as const) {
      const { code, err } = await runCommand(migrateCommand, args);
      assert.deepEqual([code, err.split("\n")[0]], [2, `tidewire migrate: ${message}`]);
    }
  });
});
