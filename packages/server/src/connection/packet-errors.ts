import { ParseError } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import { PacketType } from "@tidewire/parser";

/** Every violation of the Socket.IO protocol by a client, with the message for the operator. */
export const packetErrors = {
  BAD_SOCKET_PACKET: "a Socket.IO packet could not be decoded",
  RESERVED_EVENT: "the client sent an event with a reserved name",
  SECOND_CONNECT: "the client asked to join a namespace that it has already joined",
  NAMESPACE_NOT_JOINED: "the client sent a packet for a namespace it has not joined",
  UNEXPECTED_PACKET: "the client sent a packet that only servers may send",
  TOO_MANY_EARLY_PACKETS: "the client sent too many packets for a namespace before it was ready for them",
  TOO_MANY_EVENTS: "the client sent more events than limits.eventsPerSecond allows",
  TOO_MANY_BYTES: "the client sent more bytes than limits.bytesPerSecond allows",
  CONNECT_FAILED: "the application or the adapter threw while the client joined a namespace",
} as const;

export type SocketPacketErrorCode = keyof typeof packetErrors;

/**
 * The description of a `forced close` for a violation of the protocol: Engine.IO has delivered a message that is not a Socket.IO
 * packet, or a packet that is not allowed at that point.
 */
export class SocketPacketError extends Error {
  override readonly name: string = "SocketPacketError";
  readonly code: SocketPacketErrorCode;
  /** The type of the packet, such as `EVENT`; `binary` for a message that may be an attachment; undefined if unknown. */
  readonly kind: string | undefined;
  /** The namespace that the packet was for, if it could be read. */
  readonly namespace: string | undefined;
  /** The code of the `ParseError`, if there was one. */
  readonly parseCode: string | undefined;
  /** The limit that the packet exceeded, if it did. */
  readonly limit: number | undefined;

  constructor(
    code: SocketPacketErrorCode,
    about: { kind?: string; namespace?: string; cause?: unknown; limit?: number },
  ) {
    const { kind, namespace, cause, limit } = about;
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    super(packetErrors[code] + detail, "cause" in about ? { cause } : undefined);
    this.code = code;
    this.kind = kind;
    this.namespace = namespace;
    this.parseCode = cause instanceof ParseError ? cause.code : undefined;
    this.limit = cause instanceof ParseError ? cause.limit : limit;
  }
}

/** Creates the error for a message that the parser has refused. */
export function badPacket(data: unknown, cause: unknown): SocketPacketError {
  const isReserved = cause instanceof ParseError && cause.code === "RESERVED_EVENT";
  const code = isReserved ? "RESERVED_EVENT" : "BAD_SOCKET_PACKET";
  return new SocketPacketError(code, { ...describe(data), cause });
}

/** Reads type and namespace from a text that the default parser cannot decode. */
function describe(data: unknown): { kind?: string; namespace?: string } {
  if (typeof data !== "string") return { kind: "binary" };
  const type = Number.parseInt(data.charAt(0), 10) as PacketType;
  const kind: string | undefined = PacketType[type];
  if (kind === undefined) return {};
  const namespace = /^\d+-?(\/[^,]{0,256})/.exec(data.slice(0, 300))?.[1] ?? "/";
  return { kind, namespace };
}

/** Creates the error for a complete packet that is not allowed at this point. */
export function misplacedPacket(packet: Packet, namespace: string, hasJoined: boolean): SocketPacketError {
  const { type } = packet;
  const kind = PacketType[type];
  const code =
    type === PacketType.CONNECT_ERROR
      ? "UNEXPECTED_PACKET"
      : hasJoined
        ? "SECOND_CONNECT"
        : "NAMESPACE_NOT_JOINED";
  return new SocketPacketError(code, { kind, namespace });
}
