/** Carries the context of OpenTelemetry over the events of a client. @module */
import { context } from "@opentelemetry/api";
import { CarriedContext, ContextCarrier, KEY, VERSION } from "./context-carrier.ts";
import type { CarryContextOptions } from "./context-carrier.ts";

export type { CarryContextOptions } from "./context-carrier.ts";

/** A socket of `socket.io-client`. */
export interface ClientSocket {
  readonly active: boolean;
  readonly connected: boolean;
}

/** The types of packets. */
const CONNECT = 0;
const EVENT = 2;
const BINARY_EVENT = 5;

interface ClientPacket {
  readonly type: number;
  readonly nsp?: string;
  data?: unknown;
}

type Callback = (this: unknown, ...args: unknown[]) => void;

/** A socket of `socket.io-client` 4, with the members that it has for itself. */
interface OfficialSocket extends ClientSocket {
  readonly nsp: string;
  /** Removes its listeners from its manager. */
  subs?: (() => void)[] | undefined;
  subEvents(): void;
  emit(event: string, ...args: unknown[]): unknown;
  packet(packet: ClientPacket): void;
  onpacket(packet: ClientPacket): void;
  notifyOutgoingListeners(packet: ClientPacket): void;
}

const NO_SOCKET = "carryContext() needs a socket of socket.io-client 4.5 or later";

const used = ["subEvents", "emit", "packet", "onpacket", "notifyOutgoingListeners"] as const;

/**
 * Carries the context of OpenTelemetry over the events of a client, to and from a server that has called `carryContext()` of
 * `@tidewire/metrics/opentelemetry`. Any other server gets the events as they are. Call it before the socket connects; if it has
 * connected, it counts from the next connection on.
 *
 * @param socket - of `socket.io-client` 4.5 or later
 * @returns the same socket
 * @throws TypeError (`CANNOT_CARRY`) for anything else
 *
 * @example
 * import { carryContext } from "@tidewire/metrics/opentelemetry/client";
 * import { io } from "socket.io-client";
 *
 * const socket = carryContext(io());
 */
export function carryContext<Socket extends ClientSocket>(
  socket: Socket,
  options: CarryContextOptions = {},
): Socket {
  if (!isOfficial(socket)) throw Object.assign(new TypeError(NO_SOCKET), { code: "CANNOT_CARRY" });
  const carrier = new ContextCarrier(options);
  const emit = socket.emit.bind(socket);
  const send = socket.packet.bind(socket);
  const receive = socket.onpacket.bind(socket);
  const notify = socket.notifyOutgoingListeners.bind(socket);
  /** Whether the server of this connection, or of the last one, carries the context. */
  let isAccepted = false;

  socket.emit = (event, ...args) => {
    // An event that is sent again has one already.
    if (args.some(isOurs)) return emit(event, ...args);
    const last = args.at(-1);
    if (typeof last === "function") args[args.length - 1] = bound(last as Callback);
    const call: [string, ...unknown[]] = [event, ...args];
    if (isAccepted || !socket.connected) carrier.put(call);
    return emit(...call);
  };

  socket.packet = (packet) => {
    if (packet.type === CONNECT) packet.data = asking(packet.data);
    else if (packet.type === EVENT && !isAccepted) packet.data = withoutOurs(packet.data);
    send(packet);
  };

  socket.notifyOutgoingListeners = (packet) => {
    notify({ ...packet, data: withoutOurs(packet.data) });
  };

  socket.onpacket = (packet) => {
    const handle = (): void => receive(packet);
    const { type, nsp, data } = packet;
    if (nsp !== socket.nsp) return;
    if (type === CONNECT) isAccepted = (data as Accepting | undefined)?.[KEY] === VERSION;
    const carries = isAccepted && (type === EVENT || type === BINARY_EVENT) && Array.isArray(data);
    if (carries) carrier.receive(data as unknown[], handle);
    else handle();
  };

  // They lead to the method that was just replaced.
  if (socket.subs !== undefined) {
    for (const unsubscribe of socket.subs) unsubscribe();
    socket.subs = undefined;
    socket.subEvents();
  }
  return socket;
}

interface Accepting {
  readonly [KEY]?: unknown;
}

function isOfficial<Socket extends ClientSocket>(socket: Socket): socket is OfficialSocket & Socket {
  return used.every((name) => typeof (socket as Partial<OfficialSocket>)[name] === "function");
}

function isOurs(value: unknown): boolean {
  return value instanceof CarriedContext;
}

function withoutOurs(event: unknown): unknown {
  return Array.isArray(event) ? event.filter((value) => !isOurs(value)) : event;
}

/** Returns the credentials with the question whether the server carries the context. */
function asking(auth: unknown): unknown {
  return typeof auth === "object" || auth === undefined ? { ...auth, [KEY]: VERSION } : auth;
}

/** Keeps what the client notes on callbacks. */
function bound(callback: Callback): Callback {
  return Object.assign(context.bind(context.active(), callback), callback);
}
