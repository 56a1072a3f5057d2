import cluster from "node:cluster";
import type { Server } from "node:http";
import type { ListenOptions } from "node:net";

/** Where the kernel distributes the connections of a port among the processes that share it, and libuv asks it to. */
const PLATFORMS: readonly string[] = ["linux", "freebsd", "sunos", "aix"];

/** Returns whether `listen()` of this Node has the option `reusePort`: from 22.12 and 23.1 on. */
export function canReusePort(
  version: string = process.versions.node,
  platform: string = process.platform,
): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNewEnough = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return isNewEnough && PLATFORMS.includes(platform);
}

/**
 * Listens on a port that other processes may share. Where Node cannot, a worker of `node:cluster` shares it through its primary, as
 * every server there does, and any other process has it alone.
 */
export function listenShared(server: Server, port: number): Server {
  if (canReusePort()) {
    // The types are those of the oldest Node that is supported.
    const options: ListenOptions & { reusePort: boolean } = { port, reusePort: true };
    return server.listen(options);
  }
  if (!cluster.isWorker) server.prependListener("error", explain);
  return server.listen(port);
}

function explain(error: NodeJS.ErrnoException): void {
  if (error.code !== "EADDRINUSE") return;
  error.message +=
    `. node:http of Node ${process.versions.node} cannot share it with another process: ` +
    "use uWebSockets.js, Node 22.12 or later on Linux, or node:cluster";
}
