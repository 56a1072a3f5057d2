/** Engine.IO packet types in wire order: the index is the digit on the wire. */
export const enginePacketTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

/** One of the seven packet types, which Engine.IO v3 and v4 share. */
export type EnginePacketType = (typeof enginePacketTypes)[number];

/** One Engine.IO packet. Binary data belongs to `message`; a packet without data has no `data` key. */
export interface EnginePacket {
  type: EnginePacketType;
  data?: string | Buffer;
}

/** The digit of each type, ready to be put before the data. */
export const engineTypeDigits: Readonly<Record<EnginePacketType, string>> = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6",
};
