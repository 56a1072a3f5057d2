import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

/** Bits of the first byte of a message. */
export const BINARY = 1;
export const COMPRESSED = 2;

const flags: readonly Uint8Array[] = [0, 1, 2, 3].map((bits) => Uint8Array.of(bits));

/** Returns the first byte of a message. */
export function flagsOf(isBinary: boolean, isCompressed: boolean): Uint8Array {
  return flags[(isBinary ? BINARY : 0) + (isCompressed ? COMPRESSED : 0)]!;
}

/** @param code - undefined for a close frame without one */
export function writeClose(writer: PayloadWriter, code: number | undefined, reason: string): Buffer {
  return writer
    .begin()
    .u32(code ?? NO_CODE)
    .text(reason)
    .end();
}

export function readClose(reader: PayloadReader): { code: number | undefined; reason: string } {
  const code = reader.u32();
  return { code: code === NO_CODE ? undefined : code, reason: reader.text() };
}

const NO_CODE = 0;
