// What the guide pages claim, beside the sources, the installed packages and the command line that they are about.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import { Server as OfficialServer } from "socket.io";
import { io as connect } from "socket.io-client";
import { migrateCommand } from "../../packages/cli/src/commands/migrate.ts";
import { knownOptions } from "../../packages/engine/src/known-options.ts";
import { delay, duration, flag, size } from "../../packages/engine/src/option-rules.ts";
import type { OptionRule } from "../../packages/engine/src/option-rules.ts";
import { resolveOptions } from "../../packages/engine/src/options.ts";
import { resolveLimits } from "../../packages/server/src/limits/options.ts";
import { runCommand } from "../support/cli/run.ts";
import { cluster } from "../support/cluster/adapter.ts";
import { next } from "../support/waiting/events.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** The cells of all rows of the tables in a text, without those of the headings. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row]) => row!.split("|").map((cell) => cell.trim()))
    .filter(([first]) => !/^-+$/.test(first!));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1, bytes: 1, MiB: 1024 * 1024 };

/** The value that a default says, if it says one: `16 MiB`, `"ip"`, `20,000 ms`. */
function valueOf(said: string): unknown {
  const text = said.replaceAll("`", "").replace(/\.$/, "");
  const [, digits, unit] = /^([\d,]+)(?: (ms|s|bytes|MiB))?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits.replaceAll(",", "")) * UNITS[unit ?? "ms"]!;
  if (text === "Infinity") return Infinity;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The members of an interface in a source: what the default in their docstring says. */
function membersOf(file: string, name: string): Map<string, string | undefined> {
  const source = read(file);
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([^]*?)^\\}`, "m").exec(source)?.[1];
  assert.ok(body !== undefined, `${file} has no interface ${name}`);
  const members = new Map<string, string | undefined>();
  for (const [, docstring = "", member] of body.matchAll(
    /(?:^ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?^ {2}(\w+)\??:/gm,
  )) {
    const said = /@default (.*?)\s*$/m.exec(docstring) ?? /\bDefault:? ([^\n]*?)\.(?:\s|$)/.exec(docstring);
    members.set(member!, said?.[1]);
  }
  return members;
}

/** Where the options are declared, and what stands before their names on the page. */
const declared: readonly (readonly [prefix: string, file: string, name: string])[] = [
  ["", "packages/engine/src/options.ts", "ServerOptions"],
  ["", "packages/engine/src/options.ts", "AttachOptions"],
  ["", "packages/engine/src/options.ts", "AttachAppOptions"],
  ["", "packages/engine/src/options.ts", "ListenOptions"],
  ["", "packages/server/src/options.ts", "ServerOptions"],
  ["", "packages/server/src/options.ts", "ContractOptions"],
  ["connectionStateRecovery.", "packages/server/src/options.ts", "RecoveryOptions"],
  ["limits.", "packages/engine/src/limits/options.ts", "ConnectionLimits"],
  ["limits.handshakesPerSecond.", "packages/engine/src/limits/options.ts", "HandshakeRate"],
  ["limits.", "packages/server/src/limits/options.ts", "Limits"],
  ["limits.eventsPerSecond.", "packages/server/src/limits/rates.ts", "ClientRate"],
];

describe("docs/options.md", () => {
  const rows = new Map(
    rowsOf(read("docs/options.md"))
      .filter(([name]) => /^`[\w.]+`$/.test(name!))
      .map(([name, said]) => [name!.replaceAll("`", ""), said!] as const),
  );
  const docstrings = new Map<string, string | undefined>();
  for (const [prefix, file, name] of declared)
    for (const [member, said] of membersOf(file, name)) {
      // A later declaration without a default, such as that of a type, changes nothing.
      docstrings.set(`${prefix}${member}`, said ?? docstrings.get(`${prefix}${member}`));
    }

  it("lists every option, and no other", () => {
    assert.deepEqual([...rows.keys()].toSorted(), [...docstrings.keys()].toSorted());
  });

  it("lists every option that the server accepts", () => {
    const accepted = Object.keys(knownOptions);
    assert.deepEqual(
      accepted.filter((name) => !rows.has(name)),
      [],
    );
  });

  it("says the default that the docstring says", () => {
    const differing = [...rows].filter(([name, said]) => {
      const [here, there] = [said, docstrings.get(name) ?? ""].map(valueOf);
      return here !== undefined && there !== undefined && JSON.stringify(here) !== JSON.stringify(there);
    });
    assert.deepEqual(differing, []);
  });

  it("says the default that counts", () => {
    const { httpCompression, perMessageDeflate, ...plain } = resolveOptions({});
    assert.deepEqual([httpCompression, perMessageDeflate], [{ threshold: 1024 }, false]);
    const { rates, ...limits } = resolveLimits(undefined);
    assert.deepEqual(rates, { events: undefined, bytes: undefined });
    const defaults = [
      ...Object.entries(plain),
      ...Object.entries(limits).map(([name, value]) => [`limits.${name}`, value] as const),
    ];
    assert.ok(defaults.length >= 14, `${defaults.length} defaults`);
    assert.deepEqual(
      defaults.map(([name]) => [name, valueOf(rows.get(name) ?? "")]),
      defaults.map(([name, value]) => [name, value]),
    );
  });

  it("says the unit of each number", () => {
    const units: ReadonlyMap<OptionRule, RegExp> = new Map([
      [delay, / ms$|^none$/],
      [duration, / ms$|^none$/],
      [size, / (bytes|MiB)$/],
      [flag, /^`(true|false)`|^whether/],
    ]);
    const wrong = [...rows].filter(([name, said]) => {
      const unit = units.get(knownOptions[name] ?? delay);
      return name in knownOptions && unit !== undefined && !unit.test(said);
    });
    assert.deepEqual(wrong, []);
  });
});

describe("docs/install.md", () => {
  const page = read("docs/install.md");
  const [, version] = /npm:uws-pack@([\d.]+)`/.exec(page)!;
  const installed = join(root, "node_modules/uWebSockets.js");
  const bin = join(installed, "dist/bin");
  const names: Readonly<Record<string, string>> = { linux: "Linux", darwin: "macOS", win32: "Windows" };
  const releases: Readonly<Record<string, string>> = { 108: "18", 115: "20", 120: "21", 127: "22" };

  it("names the package that the tests run on", () => {
    assert.equal(
      (JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { version: string }).version,
      version,
    );
  });

  it("lists its binaries, and the C library that they need", () => {
    const found = new Map<string, Set<string>>();
    for (const file of readdirSync(bin)) {
      const [, system, processor, abi] = /^uws_(\w+?)_(\w+)_(\d+)\.node$/.exec(file)!;
      const text = system === "linux" ? readFileSync(join(bin, file), "latin1") : "";
      const minors = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]));
      const libc = minors.length > 0 ? `glibc 2.${Math.max(...minors)} or later` : "";
      const key = [names[system!], processor, libc].join();
      found.set(key, (found.get(key) ?? new Set()).add(releases[abi!]!));
    }
    const listed = rowsOf(page)
      .filter(([system]) => Object.values(names).includes(system!))
      .flatMap(([system, processors, libc, nodes]) =>
        processors!
          .split(", ")
          .map((processor) => [[system, processor, libc].join(), nodes!.split(", ")] as const),
      );
    const inOrder = (entries: Iterable<readonly [string, Iterable<string>]>) =>
      [...entries].map(([key, nodes]) => `${key}: ${[...nodes].toSorted().join()}`).toSorted();
    assert.deepEqual(inOrder(listed), inOrder(found));
  });
});

describe("docs/migrate.md", () => {
  it("shows what the command prints", async () => {
    const page = read("docs/migrate.md");
    const [, program] = /^```js server\.js\n([^]*?)^```/m.exec(page)!;
    const [, printed] = /^```text npx tidewire migrate \.\n([^]*?)^```/m.exec(page)!;
    const folder = mkdtempSync(join(tmpdir(), "tidewire-guide-"));
    try {
      writeFileSync(join(folder, "server.js"), program!);
      const manifest = { dependencies: { "socket.io": "^4.8.1" } };
      writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
      const { out } = await runCommand(migrateCommand, [folder]);
      assert.equal(out, printed);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is right that the official server and this one reach each other's clients through an adapter", async () => {
    const adapter = cluster() as never;
    const httpServers = [createServer(), createServer()] as const;
    const ours = new Server(httpServers[0], { adapter });
    const official = new OfficialServer(httpServers[1], { adapter });
    ours.on("connection", (socket) => void socket.join("news"));
    official.on("connection", (socket) => void socket.join("news"));
    const clients = await Promise.all(
      httpServers.map(async (httpServer) => {
        await once(httpServer.listen(0), "listening");
        const { port } = httpServer.address() as AddressInfo;
        const client = connect(`http://localhost:${port}`, { forceNew: true });
        await next(client, "connect");
        return client;
      }),
    );
    try {
      for (const io of [ours, official]) {
        const heard = clients.map((client) => next(client, "said"));
        io.to("news").emit("said", { by: Buffer.from([1]) });
        assert.deepEqual(await Promise.all(heard), [[{ by: Buffer.from([1]) }], [{ by: Buffer.from([1]) }]]);
        assert.equal((await io.in("news").fetchSockets()).length, 2);
      }
    } finally {
      for (const client of clients) client.close();
      await Promise.all([ours.close(), official.close()]);
    }
  });
});

describe("docs/observability.md", () => {
  it("explains each member of io.stats()", () => {
    const [table] = read("docs/observability.md").split("\n## Prometheus");
    const explained = [...table!.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`(\w+)`/g)].map((name) => name[1]!),
    );
    assert.deepEqual(explained.toSorted(), Object.keys(new Server().stats()).toSorted());
  });
});

describe("docs/support.md", () => {
  it("names the versions of Node.js that the packages ask for and that are tested", () => {
    const page = read("docs/support.md");
    const { engines } = JSON.parse(read("packages/server/package.json")) as { engines: { node: string } };
    assert.equal(engines.node, ">=20.19");
    assert.match(read(".github/workflows/ci.yml"), /node: \[20, 22, 24\]/);
    assert.match(page, /^\| Node\.js \| 20 \(from 20\.19\), 22 and 24\b/m);
  });
});
