import { LinkError } from "../errors.ts";
import { Kind } from "../link/kinds.ts";
import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

const { TEXT, BINARY, COMPRESSED_TEXT, COMPRESSED_BINARY } = Kind;

/** Returns the kind of a message of a WebSocket, whose payload is the message. */
export function messageKind(isBinary: boolean, isCompressed: boolean): number {
  if (isBinary) return isCompressed ? COMPRESSED_BINARY : BINARY;
  return isCompressed ? COMPRESSED_TEXT : TEXT;
}

/** Whether this is the kind of a message of a WebSocket. */
export function isMessage(kind: number): boolean {
  return kind === TEXT || kind === BINARY || isCompressed(kind);
}

export function isBinary(kind: number): boolean {
  return kind === BINARY || kind === COMPRESSED_BINARY;
}

export function isCompressed(kind: number): boolean {
  return kind === COMPRESSED_TEXT || kind === COMPRESSED_BINARY;
}

/** @param code - undefined for a close frame without one */
export function writeClose(writer: PayloadWriter, code: number | undefined, reason: string): Buffer {
  return writer
    .begin()
    .u32(code ?? NO_CODE)
    .text(reason)
    .end();
}

/** @throws LinkError if the code is none that a close frame can have */
export function readClose(reader: PayloadReader): { code: number | undefined; reason: string } {
  const code = reader.u32();
  if (code !== NO_CODE && (code < 1000 || code > 4999)) {
    throw new LinkError("MALFORMED", `the close code ${code}`);
  }
  return { code: code === NO_CODE ? undefined : code, reason: reader.text() };
}

const NO_CODE = 0;
