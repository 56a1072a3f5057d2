import { randomFillSync } from "node:crypto";

/** Names a node of a cluster: the first four of the twenty characters of its sessions' ids. */
export type NodeId = string;

const LENGTH = 4;

/** Returns a random id: 3 bytes as 4 characters of `[A-Za-z0-9_-]`. */
export function newNodeId(): NodeId {
  return randomFillSync(Buffer.allocUnsafe(3)).toString("base64url");
}

/** Returns the node whose sessions have ids like this one. Whether there is such a node, and such a session, it does not say. */
export function nodeOf(sid: string): NodeId {
  return sid.slice(0, LENGTH);
}
