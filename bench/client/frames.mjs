// The parts of WebSocket frames (RFC 6455, section 5.2) that a load generator needs.

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

function header(opcode, length, maskBit) {
  if (length < 126) return Buffer.from([0x80 | opcode, maskBit | length]);
  if (length <= 0xffff) return Buffer.from([0x80 | opcode, maskBit | 126, length >> 8, length & 0xff]);
  const bytes = Buffer.from([0x80 | opcode, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32BE(length, 6);
  return bytes;
}

/**
 * A frame of a client, masked.
 *
 * @param content text for a string, binary for a Buffer
 */
export function clientFrame(content, opcode = typeof content === "string" ? TEXT : BINARY) {
  const bytes = Buffer.from(content);
  for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] ^ MASK[i & 3];
  return Buffer.concat([header(opcode, bytes.length, 0x80), MASK, bytes]);
}

/**
 * A frame of a server.
 *
 * @param content text for a string, binary for a Buffer
 */
export function serverFrame(content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([header(typeof content === "string" ? TEXT : BINARY, bytes.length, 0), bytes]);
}

/**
 * Locates the parts of the frame at `at`; undefined if it is incomplete.
 *
 * @returns `start` and `end` of the content
 */
export function frameAt(data, at) {
  if (data.length - at < 2) return undefined;
  const length = data.readUInt8(at + 1);
  if (length >= 128) throw new Error("the server sent a masked frame");
  let start = at + 2;
  let end = start + length;
  if (length === 126) {
    start = at + 4;
    if (data.length < start) return undefined;
    end = start + data.readUInt16BE(at + 2);
  } else if (length === 127) {
    start = at + 10;
    if (data.length < start) return undefined;
    end = start + Number(data.readBigUInt64BE(at + 2));
  }
  return end > data.length ? undefined : { opcode: data.readUInt8(at) & 15, start, end };
}
