// What the messages of all workloads carry, and the clock. Server and load generator both import this.

/** How many different messages there are: message `n` and message `n + SLOTS` are the same. */
export const SLOTS = 32;

const filler = "the quick brown fox jumps over the lazy dog, then over the moon";

/** The 64-byte text of message `n`. Its first four bytes say which one it is, so that order can be checked. */
export function payload(n) {
  return `${String(n % SLOTS).padStart(4, "0")} ${filler}`.slice(0, 64);
}

const BINARY_LENGTH = 1024;

/** The 1 KB of binary message `n`; its first four bytes are those of the text. */
export function binaryPayload(n) {
  const bytes = Buffer.from(Array.from({ length: BINARY_LENGTH }, (_, i) => (i * 7) & 255));
  bytes.write(payload(n).slice(0, 4));
  return bytes;
}

/** µs since 1970. All processes of a machine agree on it, whatever runs them, and it is finer than `Date.now()`. */
export const microseconds = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
