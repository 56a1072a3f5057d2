import { readFileSync } from "node:fs";

/** The resident memory of a process, in bytes. Linux only. */
export function memoryOf(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}
