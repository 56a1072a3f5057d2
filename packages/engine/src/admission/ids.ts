import { randomFillSync } from "node:crypto";

/** Random bytes are drawn in bulk: one system call for hundreds of ids. */
const pool: Buffer = Buffer.allocUnsafeSlow(15 * 256);
let used: number = pool.length;

/** A session id: 15 random bytes as 20 characters of `[A-Za-z0-9_-]`. */
export function generateId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 15;
  return pool.toString("base64url", used - 15, used);
}

/** The same, but the first characters name a node. */
export function generatePrefixedId(prefix: string): string {
  // As one flat string: `+` would make a tree of the parts.
  return prefix === "" ? generateId() : [prefix, generateId().slice(prefix.length)].join("");
}
