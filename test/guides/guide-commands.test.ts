// The commands on the pages: that they exist, with the options that the pages name, and those that can be run here are.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Server } from "@tidewire/server";
import { allCommands } from "../../packages/cli/src/commands/all.ts";
import { readDoctorOptions } from "../../packages/cli/src/commands/doctor-options.ts";
import { readEmitOptions } from "../../packages/cli/src/commands/emit-options.ts";
import { readListenOptions } from "../../packages/cli/src/commands/listen-options.ts";
import { readLoadOptions } from "../../packages/cli/src/commands/load-options.ts";
import { readMigrateOptions } from "../../packages/cli/src/commands/migrate-options.ts";
import { readStartOptions } from "../../packages/cli/src/commands/start-options.ts";
import { pages } from "./support/blocks.ts";
import { argumentsOf, commandLinesOf } from "./support/commands.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};

const linesWith = (command: string): string[] =>
  pages.flatMap(commandLinesOf).filter((line) => line.startsWith(command));

describe("the commands in docs", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-guide-"));
  writeFileSync(join(folder, "server.js"), "");
  after(() => rmSync(folder, { recursive: true }));

  const readers: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
    // A file of the repository, or one of the reader's.
    start: (args) => readStartOptions(args, args.some((arg) => arg.startsWith("examples/")) ? root : folder),
    doctor: readDoctorOptions,
    emit: readEmitOptions,
    listen: readListenOptions,
    load: readLoadOptions,
    migrate: readMigrateOptions,
  };

  /** What the pages write in place of an argument. */
  const given: Readonly<Record<string, string>> = {
    URL: "http://localhost",
    EVENT: "hello",
    DIR: ".",
    "path/to/project": ".",
  };

  for (const page of pages)
    for (const args of argumentsOf(page, "npx tidewire")) {
      const [name = "", ...rest] = args;
      it(`exist: npx tidewire ${args.join(" ")} (docs/${page}.md)`, () => {
        if (rest.includes("[options]")) {
          const { help } = allCommands([]).find((command) => command.name === name)!;
          assert.ok(help.startsWith(`Usage: tidewire ${args.join(" ")}\n`));
        } else if (rest.length > 0) readers[name]!(rest.map((arg) => given[arg] ?? arg));
        else assert.ok(name in readers);
      });
    }

  it("are of commands that docs/command-line.md lists", () => {
    const listed = new Set(argumentsOf("command-line", "npx tidewire").map(([name]) => name));
    assert.deepEqual(
      allCommands([])
        .map(({ name }) => name)
        .filter((name) => !listed.has(name)),
      [],
    );
  });

  it("install packages that exist", () => {
    const ours = readdirSync(join(root, "packages")).map(
      (name) =>
        (JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as { name: string })
          .name,
    );
    const known = new Set([...ours, ...Object.keys(manifest.devDependencies)]);
    const named = linesWith("npm i ").flatMap((line) =>
      line
        .split(" ")
        .slice(2)
        .filter((word) => !word.startsWith("-"))
        .map((word) => word.replace(/^.*@npm:/, "").replace(/(?<=.)@[\d.]+$/, "")),
    );
    assert.notEqual(named.length, 0);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  it("run scripts and examples of the repository", () => {
    for (const line of linesWith("npm run ")) assert.ok(manifest.scripts[line.split(" ")[2]!], line);
    for (const line of linesWith("npm start "))
      assert.ok(existsSync(join(root, "examples", line.split(" ")[2]!)), line);
  });

  it("create a secret that a cluster accepts", async () => {
    const [line] = linesWith("export TIDEWIRE_SECRET") as [string];
    const { stdout } = await run("sh", ["-c", `${line}; printf %s "$TIDEWIRE_SECRET"`]);
    assert.equal(Buffer.from(stdout, "base64").length, 32);
  });

  it("show a handshake and its headers", async () => {
    const io = new Server(0, { host: "node", cors: { origin: "https://app.example.com" } });
    try {
      const url = `http://localhost:${(io.httpServer.address() as AddressInfo).port}`;
      const [plain, withHeaders] = await Promise.all(
        linesWith("curl ").map((line) => run("sh", ["-c", line.replace('"https://example.com', `"${url}`)])),
      );
      assert.match(plain!.stdout, /^0\{"sid":"/);
      assert.match(withHeaders!.stdout, /^Access-Control-Allow-Origin: https:\/\/app\.example\.com\r$/m);
    } finally {
      await io.close();
    }
  });

  it("are of a kind that is judged here", () => {
    // What changes the machine is not run: the settings of its kernel. `kill -HUP` is in
    // test/cli/reload.test.ts, `pm2` in guide-configurations.test.ts.
    const judged =
      /^(npx tidewire|npm (i|ci|run|start)\b|curl|export TIDEWIRE_SECRET=|kill -HUP|pm2 |sysctl -w net\.)/;
    assert.deepEqual(
      pages.flatMap(commandLinesOf).filter((line) => !judged.test(line)),
      [],
    );
  });
});
