import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ClusterError } from "./errors.ts";
import type { NodeId } from "./node-id.ts";

/** The longest path of a socket, in bytes: that of macOS, which is shorter than Linux's 107. */
const LONGEST_PATH = 103;

const SUFFIX = ".sock";
const SOCKET = /^([A-Za-z0-9_-]{4})\.sock$/;
const NAME = /^[A-Za-z0-9._-]{1,40}$/;

/** Returns the directory in which the nodes of a user's cluster of this machine find each other. */
export function defaultDirectory(name: string): string {
  return join(defaultParent(), name);
}

/** Returns the directory of all clusters of the user. */
function defaultParent(): string {
  const uid = process.getuid?.();
  if (uid === undefined) throw new ClusterError("NO_LOCAL_SOCKETS");
  return join(tmpdir(), `tidewire-${uid}`);
}

/** @throws ClusterError if the name cannot be part of a path */
export function assertName(name: string): void {
  if (!NAME.test(name) || name.startsWith(".")) throw new ClusterError("BAD_NAME", name);
}

/**
 * Makes the directory, and the one in which it is, where they are missing. Whoever can enter it can speak for any client, so it must
 * belong to this user, and to nobody else.
 *
 * @throws ClusterError if it does not
 */
export function prepareDirectory(path: string): void {
  const longest = join(path, `node${SUFFIX}`);
  if (Buffer.byteLength(longest) > LONGEST_PATH) throw new ClusterError("PATH_TOO_LONG", longest);
  const parent = dirname(path);
  for (const directory of [parent, path]) {
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if (!isSystemError(error) || error.code !== "EEXIST") throw error;
    }
  }
  // Anybody can make a directory of this name, and whoever owns it could put another one in the place of that of the cluster.
  if (parent === defaultParent()) assertPrivate(parent);
  assertPrivate(path);
}

/** @throws ClusterError */
function assertPrivate(path: string): void {
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new ClusterError("FOREIGN_DIRECTORY", path);
  if ((found.mode & 0o077) !== 0) throw new ClusterError("OPEN_DIRECTORY", path);
}

/** Returns the path of the socket on which a node listens. */
export function socketPath(directory: string, id: NodeId): string {
  return join(directory, id + SUFFIX);
}

/** Returns the node whose socket has this name; undefined for other files. */
export function nodeOfSocket(name: string): NodeId | undefined {
  return SOCKET.exec(name)?.[1];
}

/** Whether the error comes from the operating system. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}
