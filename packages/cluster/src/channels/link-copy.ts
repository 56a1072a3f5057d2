import type { Part } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";

/** A publication that travels over a link. */
export interface LinkCopy {
  readonly channel: number;
  /** It was published on the channel, too, where it may have been lost. */
  readonly isRepeated: boolean;
  readonly publication: Buffer;
}

export function writeCopy(writer: PayloadWriter, { channel, isRepeated, publication }: LinkCopy): Part[] {
  return [
    writer
      .begin()
      .u32(channel)
      .u8(isRepeated ? 1 : 0)
      .end(),
    publication,
  ];
}

/** The bytes of the publication are copied: it may have to wait for others. */
export function readCopy(payload: Buffer): LinkCopy {
  const reader = new PayloadReader(payload);
  return { channel: reader.u32(), isRepeated: reader.u8() === 1, publication: Buffer.from(reader.rest()) };
}
