import parser from "./dist/index.js";

export const ParseError = parser.ParseError;

export const enginePacketTypes = parser.enginePacketTypes;
export const engineCodecV3 = parser.engineCodecV3;
export const engineCodecV4 = parser.engineCodecV4;
export const encodeStreamFrames = parser.encodeStreamFrames;
export const StreamFrameDecoder = parser.StreamFrameDecoder;

export const PacketType = parser.PacketType;
export const protocol = parser.protocol;
export const reservedEvents = parser.reservedEvents;
export const isPacketValid = parser.isPacketValid;
export const payloadRulesV4 = parser.payloadRulesV4;
export const payloadRulesV5 = parser.payloadRulesV5;
export const hasBinary = parser.hasBinary;
export const isBinary = parser.isBinary;
export const toBuffer = parser.toBuffer;
export const encodePacket = parser.encodePacket;
export const Encoder = parser.Encoder;
export const PacketDecoder = parser.PacketDecoder;
export const Decoder = parser.Decoder;
export const createDecoder = parser.createDecoder;
export const defaultParser = parser.defaultParser;
