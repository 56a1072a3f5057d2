export { ParseError } from "./errors.ts";
export type { ParseErrorCode } from "./errors.ts";

export { enginePacketTypes } from "./engine/packet.ts";
export type { EnginePacket, EnginePacketType } from "./engine/packet.ts";
export type { EngineCodec, PayloadLimits } from "./engine/codec.ts";
export { v3 as engineCodecV3 } from "./engine/v3.ts";
export { v4 as engineCodecV4 } from "./engine/v4.ts";
export { encodeStreamFrames, StreamFrameDecoder } from "./engine/stream.ts";
export type { StreamFrame } from "./engine/stream.ts";

export {
  isPacketValid,
  PacketType,
  payloadRulesV4,
  payloadRulesV5,
  protocol,
  reservedEvents,
} from "./socket/packet.ts";
export type { Packet, PayloadRules } from "./socket/packet.ts";
export { hasBinary, isBinary, toBuffer } from "./socket/attachments.ts";
export type { Binary } from "./socket/attachments.ts";
export { encodePacket, Encoder } from "./socket/encoder.ts";
export type { Replacer } from "./socket/encoder.ts";
export { PacketDecoder } from "./socket/decoder.ts";
export type { DecoderOptions, Reviver } from "./socket/decoder.ts";
export { Decoder } from "./socket/event-decoder.ts";
export type { DecodedListener } from "./socket/event-decoder.ts";
export { createDecoder, defaultParser } from "./socket/parser.ts";
export type { ChunkDecoder, EventDecoder, PacketReceiver, Parser } from "./socket/parser.ts";
