import { readFileSync } from "node:fs";

const FILE = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Whether connections that wait to be accepted are reset when one of several listeners of their port closes. */
export function resetsWaitingConnections(file: string = FILE): boolean {
  try {
    return readFileSync(file, "utf8").trim() === "0";
  } catch {
    // Not Linux, or older than 5.14, where nothing can be done about it.
    return false;
  }
}
