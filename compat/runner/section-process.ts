// Runs the tests of a section in its own process group, and makes sure that no process of it stays behind.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { setTimeout as after } from "node:timers/promises";
import { readSection, type Ending, type SectionResult } from "../report/results.ts";

const mocha = join(dirname(createRequire(import.meta.url).resolve("mocha/package.json")), "bin/mocha.js");
const recorder = "./compat/report/recorder.mjs";

export interface SectionRun {
  readonly name: string;
  readonly files: readonly string[];
  /** Whether to ignore timers that keep the process alive: closed official servers and clients leave some. */
  readonly hasOfficial?: boolean;
  /** Whether to run the full form instead of the quick one. */
  readonly isFull: boolean;
  /** More options for mocha. */
  readonly options: readonly string[];
  /** After this many milliseconds, the section is killed and fails. */
  readonly limit: number;
  /** How long the process may run after its last test, and its child processes after that, in milliseconds. */
  readonly grace: number;
}

/** The result of a section, and the output of its process. */
export interface SectionReport extends SectionResult {
  readonly output: string;
  readonly milliseconds: number;
}

/** The running process groups, each with the folder of its record. */
const running = new Map<number, string>();

/** Kills all running sections. */
export function endSections(): void {
  for (const [group, folder] of running) {
    signalGroup(group, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function runSection(run: SectionRun): Promise<SectionReport> {
  const folder = mkdtempSync(join(tmpdir(), "tidewire-compat-"));
  const record = join(folder, "record.ndjson");
  const begun = performance.now();
  try {
    const { ending, output } = await runMocha(run, record);
    const milliseconds = performance.now() - begun;
    return { ...readSection(run.name, record, ending), output, milliseconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runMocha(run: SectionRun, record: string): Promise<{ ending: Ending; output: string }> {
  const child = spawn(process.execPath, [mocha, "--reporter", recorder, ...run.options, ...run.files], {
    // its own process group, so that all its processes can be found and killed
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      COMPAT: run.isFull ? "full" : "quick",
      COMPAT_RECORD: record,
      COMPAT_GRACE: String(run.grace),
      COMPAT_OFFICIAL: run.hasOfficial ? "yes" : "no",
    },
  });
  const group = child.pid;
  if (group !== undefined) running.set(group, dirname(record));
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const allRead = new Promise((resolve) => void child.once("close", resolve));
  let problem: string | undefined;
  const overdue = setTimeout(() => {
    problem = `the section took longer than ${Math.round(run.limit / 60_000)} minutes`;
    if (group !== undefined) signalGroup(group, "SIGKILL");
  }, run.limit);
  try {
    const { code, signal } = await new Promise<Ending>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    if (group !== undefined) problem ??= await endGroup(group, run.grace);
    await Promise.race([allRead, after(1_000, undefined, { ref: false })]);
    return {
      ending: { code, signal, ...(problem !== undefined && { problem }) },
      output: Buffer.concat(chunks).toString(),
    };
  } finally {
    clearTimeout(overdue);
    if (group !== undefined) running.delete(group);
  }
}

/** Waits for the rest of the group to exit, and kills it after `grace`; then returns the problem. */
async function endGroup(group: number, grace: number): Promise<string | undefined> {
  const patience = performance.now() + grace;
  let left = living(group);
  while (left.length > 0 && performance.now() < patience) {
    await after(50);
    left = living(group);
  }
  if (left.length === 0) return undefined;
  signalGroup(group, "SIGKILL");
  while (living(group).length > 0) await after(10);
  return `processes were left behind: ${left.join(", ")}`;
}

/** The running programs of a group; always empty without /proc. */
function living(group: number): string[] {
  return processIds().flatMap((id) => {
    // pid (name) state parent group …
    const [, name, state, own] = /\((.*)\) (\S) \d+ (\d+)/s.exec(stat(id)) ?? [];
    return Number(own) === group && state !== "Z" && state !== "X" ? [`${name} (${id})`] : [];
  });
}

function processIds(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function stat(id: string): string {
  try {
    return readFileSync(`/proc/${id}/stat`, "utf8");
  } catch {
    return "";
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // it has exited by itself
  }
}
