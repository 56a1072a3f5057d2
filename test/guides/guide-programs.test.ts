// The programs of the guide pages, as they stand there: those that listen on a port of their own on both hosts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { freePort } from "../browser/support/chat-process.ts";
import { programsOf } from "../support/process/program.ts";
import { runAll } from "../support/process/programs.ts";
import type { Ran } from "../support/process/programs.ts";
import { whyNoUws } from "../support/uws/absent.ts";

interface Expected {
  readonly title: string;
  /** What it prints. */
  readonly lines: readonly string[];
  /** Follows the program: looks at it from outside, and ends it. */
  readonly tail?: string;
  /** What has to be different in a test. */
  readonly changes?: readonly (readonly [from: string, to: string])[];
}

/** A program that says hello, by long-polling and WebSocket, and over HTTP. */
function greeter(title: string, close = "await io.close();", port = 3000): Expected {
  const lines = ["hello over Socket.IO", "websocket: hello over Socket.IO", "hello over HTTP"];
  const tail = `
    const { io: open } = await import("socket.io-client");
    const visitor = open("http://localhost:${port}", { forceNew: true });
    console.log(await visitor.emitWithAck("hello"));
    const { engine } = visitor.io;
    if (engine.transport.name === "polling") await new Promise((resolve) => engine.once("upgrade", resolve));
    console.log(engine.transport.name + ": " + (await visitor.emitWithAck("hello")));
    console.log(await (await fetch("http://localhost:3000/hello")).text());
    visitor.close();
    ${close}`;
  return { title, lines, tail };
}

/** A program that drains its server on SIGTERM. */
function drained(title: string, changes: Expected["changes"] = []): Expected {
  const lines = ["true", "200", "false", "transport close"];
  const tail = `
    const { io: open } = await import("socket.io-client");
    const closed = new Promise((resolve) => httpServer.once("close", resolve));
    while (!io.ready) await new Promise((resolve) => setTimeout(resolve, 10));
    const visitor = open("http://localhost:3000", { forceNew: true, reconnection: false });
    await new Promise((resolve) => visitor.once("connect", resolve));
    console.log(io.ready);
    console.log((await fetch("http://localhost:3000/ready")).status);
    process.emit("SIGTERM");
    console.log(io.ready);
    console.log(await new Promise((resolve) => visitor.once("disconnect", resolve)));
    await closed;`;
  return { title, lines, tail, changes };
}

const VITE_FOLDER = 'plugins: [live], root: import.meta.dirname, configFile: false, logLevel: "silent"';

/** The programs of each page, in order. */
const pages: Readonly<Record<string, readonly Expected[]>> = {
  install: [{ title: "names the host", lines: ["HOST"] }],
  migrate: [
    {
      title: "prints the same with the official server",
      lines: ["who are you?", "hello", "5", "io server disconnect"],
    },
  ],
  frameworks: [
    greeter("Express"),
    greeter("Express on uWebSockets.js"),
    greeter("Fastify", "await app.close();"),
    greeter("Hono"),
    greeter("Koa"),
    greeter("H3"),
    { ...greeter("Vite", "await vite.close();"), changes: [["plugins: [live]", VITE_FOLDER]] },
    greeter("a port of its own", "await io.close(); httpServer.close();", 3001),
  ],
  options: [
    {
      title: "reads options strictly",
      lines: [
        "10000",
        "INVALID_OPTION",
        `Invalid option "maxHttpBufferSize": expected a number of bytes, 0 or more, got '10MB'`,
        'TIDEWIRE_UNKNOWN_OPTION Unknown option "pingTimeOut": did you mean "pingTimeout"?',
      ],
    },
  ],
  troubleshooting: [
    {
      title: "shows a refusal on both sides",
      lines: [
        "server: refused, 4 Forbidden",
        'client: xhr poll error, 403, {"code":4,"message":"Forbidden"}',
      ],
    },
  ],
  deployment: [
    drained("leaves after it has drained"),
    drained("is a node of a cluster", [["chat-nodes", "127.0.0.1"]]),
  ],
  typescript: [
    { title: "has types", lines: ["Ada: hello", "5.0"] },
    {
      title: "checks events",
      lines: [
        "7 2 × tea",
        "order [ 0, 'count' ]",
        "{",
        "  error: {",
        "    code: 'INVALID_EVENT',",
        "    message: 'The event does not match the contract',",
        "    issues: [ [Object] ]",
        "  }",
        "}",
      ],
    },
  ],
  testing: [
    {
      title: "tests an application in memory",
      lines: [
        "a message reaches everyone else",
        "ten minutes have passed",
        "recovered: true with the same id: true",
      ],
    },
    { title: "tests an application on a port", lines: ["world"] },
  ],
  tuning: [
    {
      title: "ends a client that does not read",
      lines: ["connections that wait: 1", "transport error SLOW_CONSUMER 1000000"],
    },
  ],
  security: [
    {
      title: "refuses pages of other sites, and floods",
      lines: ["Unexpected server response: 400", "TOO_MANY_EVENTS 50", "9 TOO_MANY_EVENTS"],
    },
  ],
};

type Host = "uws" | "node";

interface Program {
  readonly page: string;
  readonly expected: Expected;
  readonly code: string;
  readonly language: "js" | "ts";
}

const languageOf = (page: string): "js" | "ts" => (page === "typescript" ? "ts" : "js");

const all: readonly Program[] = Object.entries(pages).flatMap(([page, list]) => {
  const language = languageOf(page);
  const codes = programsOf(`docs/${page}.md`, language);
  return list.map((expected, index) => ({ page, expected, language, code: codes[index] ?? "" }));
});

const OWN_PORT = /new Server(<[^(]*>)?\((0|3001)(\)|, \{)/g;
const OFFICIAL = 'from "socket.io";';

/** On node:http run those programs that can choose, and what the official server runs, too. */
const isFor: Readonly<Record<Host, (program: Program) => boolean>> = {
  uws: () => true,
  node: ({ code }) => code.search(OWN_PORT) !== -1 || code.includes(OFFICIAL),
};

const onHost: Readonly<Record<Host, (code: string) => string>> = {
  uws: (code) => code.replace(OFFICIAL, 'from "@tidewire/server";'),
  node: (code) =>
    code.replaceAll(OWN_PORT, (_, types: string | undefined, port: string, rest: string) => {
      const end = rest === ")" ? " })" : ",";
      return `new Server${types ?? ""}(${port}, { host: "node"${end}`;
    }),
};

/** What is run: the program, on free ports, and its tail. */
async function prepared({ code, expected, language }: Program, host: Host) {
  let text = `${onHost[host](code)}${expected.tail ?? ""}`;
  for (const [from, to] of expected.changes ?? []) {
    assert.ok(text.includes(from), `no "${from}" in the program`);
    text = text.replaceAll(from, to);
  }
  for (const port of ["3000", "3001", "7900"]) {
    if (new RegExp(`\\b${port}\\b`).test(text))
      text = text.replaceAll(new RegExp(`\\b${port}\\b`, "g"), `${await freePort()}`);
  }
  return { code: text, extension: language === "ts" ? ("ts" as const) : ("mjs" as const) };
}

async function run(host: Host): Promise<Map<Program, Ran>> {
  const programs = all.filter(isFor[host]);
  const env = {
    TIDEWIRE_SECRET: "a secret of sixteen characters",
    NODE_ENV: "test",
    // Programs cause some on purpose.
    NODE_NO_WARNINGS: "1",
  };
  const ran = await runAll(await Promise.all(programs.map((program) => prepared(program, host))), env);
  return new Map(programs.map((program, index) => [program, ran[index]!]));
}

describe("the programs of the guides", function () {
  this.timeout(60_000);

  const hosts: readonly Host[] = whyNoUws === undefined ? ["uws", "node"] : ["node"];
  let running: Readonly<Partial<Record<Host, Promise<Map<Program, Ran>>>>>;

  before(async () => {
    running = Object.fromEntries(hosts.map((host) => [host, run(host)]));
    await Promise.all(Object.values(running));
  });

  for (const [page, list] of Object.entries(pages)) {
    it(`of docs/${page}.md are all run`, () => {
      assert.equal(programsOf(`docs/${page}.md`, languageOf(page)).length, list.length);
    });
  }

  for (const host of hosts)
    for (const program of all.filter(isFor[host])) {
      const { page, expected } = program;
      it(`docs/${page}.md: ${expected.title} [${host}]`, async () => {
        const { lines, error } = (await running[host]!).get(program)!;
        assert.equal(error, undefined);
        const name = host === "uws" ? "uWebSockets.js" : "node:http";
        assert.deepEqual(
          lines,
          expected.lines.map((line) => (line === "HOST" ? name : line)),
        );
      });
    }

  it("in TypeScript are those that the compiler checks", () => {
    const checked = ["types", "contract"].map((name) =>
      readFileSync(new URL(`programs/${name}.ts`, import.meta.url), "utf8").replace(
        /^\/\/ oxlint-disable.*\n/,
        "",
      ),
    );
    assert.deepEqual(programsOf("docs/typescript.md", "ts"), checked);
  });
});
