import { constants } from "node:buffer";
import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import { ClusterError } from "../errors.ts";

/** The largest packet that travels between nodes, in bytes: the longest text that a node can read. A frame of a link holds more. */
export const MOST_BYTES: number = Math.min(constants.MAX_STRING_LENGTH, 2 ** 29);

/** What a character has at most, in bytes. */
const LONGEST = 3;

/**
 * @param parts - texts and bytes
 * @param most - in bytes
 * @throws ClusterError (`TOO_LARGE`) if the parts together have more bytes
 */
export function assertNotLarger(parts: readonly unknown[], most: number): void {
  const [first] = parts;
  if (parts.length === 1 && typeof first === "string") return assertNotLonger(first, most);
  let bytes = 0;
  for (const part of parts) {
    bytes += typeof part === "string" ? Buffer.byteLength(part) : toBuffer(part as Binary).length;
  }
  if (bytes > most) throw tooLarge(bytes, most);
}

/**
 * @param most - in bytes
 * @throws ClusterError (`TOO_LARGE`) if a text has more bytes
 */
export function assertNotLonger(text: string, most: number): void {
  if (text.length * LONGEST <= most) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw tooLarge(bytes, most);
}

function tooLarge(bytes: number, most: number): ClusterError {
  return new ClusterError("TOO_LARGE", `it has ${bytes} bytes, and at most ${most} are carried`);
}
