/** The protocol version spoken by default: the one of Socket.IO 3 and 4. */
export const protocol = 5;

/** Socket.IO packet types by name and, as in the official package, names by number. */
export const PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6,
  0: "CONNECT",
  1: "DISCONNECT",
  2: "EVENT",
  3: "ACK",
  4: "CONNECT_ERROR",
  5: "BINARY_EVENT",
  6: "BINARY_ACK",
} as const;

/** The number of a packet type on the wire. */
export type PacketType = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** One Socket.IO packet. The decoders report binary events and acks as `EVENT` and `ACK`, attachments in place. */
export interface Packet {
  type: PacketType;
  /** the namespace; from clients before Socket.IO 3 possibly with a query, as in `/admin?token=1` */
  nsp: string;
  /** missing if the packet came without a payload, which is legal for every type */
  data?: unknown;
  /** of an event: the sender asks for an acknowledgement; of an ack: which event it answers */
  id?: number;
  /** on the wire only: how many binary messages follow */
  attachments?: number;
}

/** Names that no application may emit, because one side or the other emits these events itself. */
export const reservedEvents: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** For each packet type, in wire order, whether this may be its payload. */
export type PayloadRules = readonly ((payload: unknown) => boolean)[];

const isObject = (value: unknown): boolean => Object.prototype.toString.call(value) === "[object Object]";
const isUndefined = (value: unknown): boolean => value === undefined;
const isEventName = (value: unknown): boolean => typeof value === "string" || typeof value === "number";
/** Whether the payload names an event that no side may send. */
export function isReservedEvent(payload: unknown): boolean {
  return Array.isArray(payload) && reservedEvents.has(payload[0]);
}

const isEvent = (value: unknown): boolean =>
  Array.isArray(value) && isEventName(value[0]) && !reservedEvents.has(value[0]);

/** Socket.IO protocol v5 (Socket.IO 3 and 4). */
export const payloadRulesV5: PayloadRules = [
  /* CONNECT       */ isObject,
  /* DISCONNECT    */ isUndefined,
  /* EVENT         */ isEvent,
  /* ACK           */ Array.isArray,
  /* CONNECT_ERROR */ (value) => typeof value === "string" || isObject(value),
  /* BINARY_EVENT  */ isEvent,
  /* BINARY_ACK    */ Array.isArray,
];

const isAnyEvent = (value: unknown): boolean => Array.isArray(value) && isEventName(value[0]);

/** Socket.IO protocol v4 (Socket.IO 1 and 2): no reserved names; type 4 is ERROR and may carry more. */
export const payloadRulesV4: PayloadRules = [
  /* CONNECT       */ (value) => typeof value === "object",
  /* DISCONNECT    */ isUndefined,
  /* EVENT         */ isAnyEvent,
  /* ACK           */ Array.isArray,
  /* ERROR         */ (value) => typeof value === "string" || typeof value === "object",
  /* BINARY_EVENT  */ isAnyEvent,
  /* BINARY_ACK    */ Array.isArray,
];

/** Whether a packet made by hand may be sent: checks namespace, id and data, as the official function does. */
export function isPacketValid(packet: Packet): boolean {
  const { type, nsp, id, data } = packet;
  if (typeof nsp !== "string" || !(id === undefined || Number.isInteger(id))) {
    return false;
  }
  if (type === PacketType.CONNECT && data === undefined) {
    return true;
  }
  const isWireOnly = type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK;
  return !isWireOnly && (payloadRulesV5[type]?.(data) ?? false);
}
