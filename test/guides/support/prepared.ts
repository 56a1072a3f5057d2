// The programs of the pages as a test runs them: on a host, on free ports, with what looks at them from outside.
import assert from "node:assert/strict";
import { freePort } from "../../support/hosts/free-port.ts";
import type { Program } from "../../support/process/programs.ts";
import { scriptsOf } from "./blocks.ts";
import { expected } from "./expected.ts";
import type { Expected } from "./expected.ts";

export type Host = "uws" | "node";

/** A program of a page, or a part of one. */
export interface GuideProgram {
  readonly page: string;
  readonly expected: Expected;
  readonly code: string;
  readonly language: "js" | "ts";
}

/** The programs that have an entry in `expected`. */
export const programs: readonly GuideProgram[] = Object.entries(expected).flatMap(([page, list]) => {
  const scripts = scriptsOf(page);
  return list.map((each, index) => ({
    page,
    expected: each,
    code: scripts[index]?.code ?? "",
    language: scripts[index]?.language === "ts" ? ("ts" as const) : ("js" as const),
  }));
});

const OWN_PORT = /new Server(<[^(]*>)?\((0|3001)(\)|, \{)/g;
const OFFICIAL = 'from "socket.io";';

/** On node:http run those programs that can choose, and what the official server runs, too. */
export const isFor: Readonly<Record<Host, (program: GuideProgram) => boolean>> = {
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

/** The ports of the programs, which they get others for. */
const PORTS = /\b(3000|3001|7900)\b/g;

/** What is run: a program, with what precedes and follows it. */
export async function prepared(program: GuideProgram, host: Host): Promise<Program> {
  const { head = "", tail = "", changes = [] } = program.expected;
  let text = `${head}\n${onHost[host](program.code)}${tail}`;
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `no "${from}" in the program`);
    text = text.replaceAll(from, to);
  }
  const ports = new Map<string, number>();
  for (const [port] of text.matchAll(PORTS)) if (!ports.has(port)) ports.set(port, await freePort());
  return {
    code: text.replaceAll(PORTS, (port) => String(ports.get(port))),
    extension: program.language === "ts" ? "ts" : "mjs",
  };
}
