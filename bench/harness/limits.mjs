// What this machine allows.
import { readFileSync } from "node:fs";

/** Files that a process has open besides its connections. */
const OTHER_FILES = 200;

/**
 * As many connections as wanted, or as one process may have open.
 *
 * @param {number} wanted
 * @returns {number}
 */
export function connectionsAllowed(wanted) {
  let limits = "";
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Not Linux.
  }
  const found = /^Max open files\s+(\d+)/m.exec(limits);
  return found === null ? wanted : Math.min(wanted, Number(found[1]) - OTHER_FILES);
}
