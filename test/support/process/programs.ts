import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** How long the process may take to end after the last program, and how long a program may take, in ms: it then hangs. */
const PATIENCE = process.env["CI"] === undefined ? 30_000 : 90_000;

/** What a program has printed, and the error with which it ended, if it did. */
export interface Ran {
  readonly lines: readonly string[];
  readonly error?: string;
}

export interface Program {
  readonly code: string;
  /** Of the file in which it is run. */
  readonly extension: "mjs" | "ts";
}

/** Precedes each program: what it prints later, when others run, is not theirs. */
const PRELUDE = "const console = globalThis.consoleOf(import.meta.url);\n";

/** Imports the programs one after another; each may leave listeners of the process behind, which are not those of the next. */
const runner = `
import { format } from "node:util";

const lines = new Map();
globalThis.consoleOf = (url) => ({
  ...console,
  log: (...args) => lines.get(url).push(...format(...args).split("\\n")),
});
const before = new Map(["warning", "SIGTERM", "SIGINT"].map((name) => [name, process.listeners(name)]));

process.on("message", async (programs) => {
  for (const program of programs) {
    lines.set(program, []);
    let error;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject("it hangs after printing " + JSON.stringify(lines.get(program))), ${PATIENCE});
    });
    try {
      await Promise.race([import(program), late]);
    } catch (thrown) {
      error = thrown?.stack ?? String(thrown);
    }
    clearTimeout(timer);
    process.send({ lines: lines.get(program), error });
    for (const [name, listeners] of before) {
      process.removeAllListeners(name);
      for (const listener of listeners) process.on(name, listener);
    }
  }
  process.disconnect();
});
`;

/**
 * Runs programs one after another in one process, against the sources.
 *
 * @throws Error if the process does not end by itself after the last one
 */
export async function runAll(programs: readonly Program[], env: NodeJS.ProcessEnv = {}): Promise<Ran[]> {
  const folder = await mkdtemp(join(root, "test/.program-"));
  try {
    await writeFile(join(folder, "runner.mjs"), runner);
    const files = programs.map(({ extension }, index) => join(folder, `program-${index}.${extension}`));
    await Promise.all(programs.map(({ code }, index) => writeFile(files[index]!, PRELUDE + code)));
    const child = fork(join(folder, "runner.mjs"), {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      execArgv: ["--conditions=@tidewire/source", "--import=tsx/esm"],
    });
    const ran: Ran[] = [];
    child.on("message", (result) => ran.push(result as Ran));
    child.once("disconnect", () => setTimeout(() => child.kill(), PATIENCE).unref());
    child.send(files.map((file) => pathToFileURL(file).href));
    const [code] = (await once(child, "exit")) as [number | null];
    if (ran.length < programs.length)
      throw new Error(`program ${ran.length} ended the process, with ${code}`);
    // What is left open is mostly that of a program that has failed.
    const hasFailed = ran.some(({ error }) => error !== undefined);
    if (code !== 0 && !hasFailed) throw new Error("the process did not end by itself after the last program");
    return ran;
  } finally {
    await rm(folder, { recursive: true });
  }
}
