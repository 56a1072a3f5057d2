// The four official parsers, each in the same synchronous shape as ours. What they report as an error packet is
// thrown here, so that "refused" looks the same everywhere.
import { createRequire } from "node:module";
import type { EnginePacket, Packet } from "@tidewire/parser";

const load = createRequire(import.meta.url);

export interface EngineOracle {
  readonly encodePacket: (packet: EnginePacket, supportsBinary: boolean) => string | Buffer;
  readonly decodePacket: (frame: string | Buffer) => EnginePacket;
  readonly encodePayload: (packets: readonly EnginePacket[], supportsBinary: boolean) => string | Buffer;
  readonly decodePayload: (payload: string | Buffer) => EnginePacket[];
}

interface OfficialEngineV4 {
  encodePacket(packet: unknown, supportsBinary: boolean, callback: (encoded: string | Buffer) => void): void;
  decodePacket(frame: unknown): EnginePacket;
  encodePayload(packets: unknown[], callback: (encoded: string) => void): void;
  decodePayload(payload: string): EnginePacket[];
}

interface OfficialEngineV3 {
  encodePacket(
    packet: unknown,
    binary: boolean,
    utf8: boolean,
    callback: (encoded: string | Buffer) => void,
  ): void;
  decodePacket(frame: unknown, binaryType: null, utf8: boolean): EnginePacket;
  encodePayload(packets: unknown[], binary: boolean, callback: (encoded: string | Buffer) => void): void;
  decodePayload(payload: unknown, binaryType: null, callback: (packet: EnginePacket) => void): void;
}

/** What `call` hands to its callback, which it calls at once. */
function called<T>(call: (callback: (value: T) => void) => void): T {
  const values: T[] = [];
  call((value) => values.push(value));
  if (values.length !== 1) {
    throw new Error("the oracle did not call back once");
  }
  return values[0]!;
}

function noError(packet: EnginePacket): EnginePacket {
  if ((packet.type as string) === "error") {
    throw new Error(String(packet.data));
  }
  return packet;
}

const officialV4 = load("engine.io-parser") as OfficialEngineV4;

export const engineOracleV4: EngineOracle = {
  encodePacket: (packet, supportsBinary) =>
    called((callback) => officialV4.encodePacket(packet, supportsBinary, callback)),
  decodePacket: (frame) => noError(officialV4.decodePacket(frame)),
  encodePayload: (packets) =>
    packets.length === 0 ? "" : called((callback) => officialV4.encodePayload([...packets], callback)),
  decodePayload: (payload) => officialV4.decodePayload(String(payload)).map(noError),
};

// It says so itself: it still uses `new Buffer()`, about which Node warns once.
const officialV3 = load("engine.io-parser-v3") as OfficialEngineV3;

export const engineOracleV3: EngineOracle = {
  encodePacket: (packet, supportsBinary) =>
    called((callback) => officialV3.encodePacket({ ...packet }, supportsBinary, false, callback)),
  decodePacket: (frame) => noError(officialV3.decodePacket(frame, null, false)),
  encodePayload: (packets, supportsBinary) =>
    called((callback) => officialV3.encodePayload([...packets], supportsBinary, callback)),
  decodePayload(payload) {
    const packets: EnginePacket[] = [];
    officialV3.decodePayload(payload, null, (packet) => packets.push(packet));
    return packets.map(noError);
  },
};

export interface SocketOracle {
  readonly encode: (packet: Packet) => unknown[];
  /** All packets that the chunks make, in a decoder of their own. */
  readonly decode: (chunks: readonly (string | Buffer)[]) => Packet[];
}

interface OfficialDecoder {
  on(event: "decoded", listener: (packet: Packet) => void): void;
  add(chunk: unknown): void;
}

interface OfficialSocketParser {
  Encoder: new () => {
    encode(packet: unknown): unknown[];
    encode(packet: unknown, callback: (encoded: unknown[]) => void): void;
  };
  Decoder: new () => OfficialDecoder;
}

/** A packet of attachments without payload has `data: undefined` there, and no data here. */
function withoutUndefined(packet: Packet): Packet {
  const { data, ...rest } = packet;
  return data === undefined ? rest : packet;
}

function decodeWith(decoder: OfficialDecoder, chunks: readonly (string | Buffer)[]): Packet[] {
  const packets: Packet[] = [];
  decoder.on("decoded", (packet) => packets.push(withoutUndefined(packet)));
  for (const chunk of chunks) {
    decoder.add(chunk);
  }
  return packets;
}

const officialV5 = load("socket.io-parser") as OfficialSocketParser;

export const socketOracleV5: SocketOracle = {
  encode: (packet) => new officialV5.Encoder().encode(packet),
  decode: (chunks) => decodeWith(new officialV5.Decoder(), chunks),
};

const officialSocketV4 = load("socket.io-parser-v3") as OfficialSocketParser;
const UNKNOWN_TYPE = "parser error: unknown packet type";

export const socketOracleV4: SocketOracle = {
  /** Its callers name the binary types themselves, by asking whether there is binary data. */
  encode: (packet) => called((callback) => new officialSocketV4.Encoder().encode({ ...packet }, callback)),
  /** Reports binary types as they are on the wire, and an unknown type as an ERROR packet. */
  decode: (chunks) =>
    decodeWith(new officialSocketV4.Decoder(), chunks).map((packet) => {
      delete packet.attachments;
      const { data } = packet;
      if (packet.type === 4 && typeof data === "string" && data.startsWith(UNKNOWN_TYPE)) {
        throw new Error(data);
      }
      return packet.type > 4 ? { ...packet, type: (packet.type - 3) as Packet["type"] } : packet;
    }),
};
