import { randomBytes } from "node:crypto";

/** One WebSocket frame, RFC 6455 section 5.2. */
export interface Frame {
  fin: boolean;
  /** The three reserved bits as a number; 4 is RSV1, which permessage-deflate sets. */
  rsv: number;
  opcode: number;
  masked: boolean;
  payload: Buffer;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  fin?: boolean;
  rsv?: number;
  /** Clients must mask; a test may choose not to. */
  masked?: boolean;
}

export function encodeFrame(opcode: number, payload: Buffer, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const length = payload.length;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extra);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) {
    head.writeUInt16BE(length, 2);
  } else if (extra === 8) {
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) {
    return Buffer.concat([head, payload]);
  }
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, unmask(payload, mask)]);
}

/** Takes the first whole frame off `bytes`; undefined when it is not whole yet. */
export function decodeFrame(bytes: Buffer): { frame: Frame; size: number } | undefined {
  if (bytes.length < 2) {
    return undefined;
  }
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const masked = (second & 0x80) !== 0;
  let length = second & 0x7f;
  let offset = 2;
  if (length === 126) {
    if (bytes.length < 4) {
      return undefined;
    }
    length = bytes.readUInt16BE(2);
    offset = 4;
  } else if (length === 127) {
    if (bytes.length < 10) {
      return undefined;
    }
    length = Number(bytes.readBigUInt64BE(2));
    offset = 10;
  }
  const mask = masked ? bytes.subarray(offset, offset + 4) : undefined;
  offset += masked ? 4 : 0;
  if (bytes.length < offset + length) {
    return undefined;
  }
  const body = bytes.subarray(offset, offset + length);
  const payload = mask === undefined ? Buffer.from(body) : unmask(body, mask);
  const frame = { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 0x0f, masked, payload };
  return { frame, size: offset + length };
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] as number)));
}
