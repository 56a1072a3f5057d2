import { randomFillSync } from "node:crypto";

const ID_BYTES = 15;
/** One system call for hundreds of ids. */
const pool: Buffer = Buffer.allocUnsafeSlow(ID_BYTES * 256);
let used = pool.length;

/** A socket id: 15 random bytes as 20 characters of `[A-Za-z0-9_-]`. The session id is secret, so it is not reused. */
export function generateId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString("base64url", used - ID_BYTES, used);
}
