// The payloads of all workloads, and a clock; the server and the load generator use both.

/** The number of different messages: message `n + SLOTS` equals message `n`. */
export const SLOTS = 32;

const filler = "the quick brown fox jumps over the lazy dog, then over the moon";

/** The 64-byte text of message `n`. Its first four bytes identify it, so that the order can be checked. */
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

/** µs since 1970, the same in all processes of a machine, and finer than `Date.now()`. */
export const microseconds = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
