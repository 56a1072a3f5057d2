import engine from "./dist/index.js";

export const {
  attach,
  ConnectionErrorCode,
  Engine,
  listen,
  MemoryHost,
  MemoryUpgradeError,
  MemoryWebSocket,
  Message,
  OutgoingPacket,
  parser,
  protocol,
  Server,
  Session,
  SlowConsumerError,
  Socket,
  Transport,
  TransportError,
  transports,
  uServer,
} = engine;
