import { createDecoder, defaultParser, PacketType, toBuffer } from "@tidewire/parser";
import type { Binary, Packet, Parser } from "@tidewire/parser";
import type { BroadcastOptions } from "socket.io-adapter";
import { MemoryAdapter } from "../rooms/memory-adapter.ts";
import type { AdapterNamespace } from "../rooms/memory-adapter.ts";
import type { EncodedPacket } from "../connection/port.ts";
import type { ServerOptions } from "../options.ts";
import { startInterval, stopInterval } from "../timers.ts";
import { RecoveryLog } from "./log.ts";
import type { LoggedEvent } from "./log.ts";
import { offsetOf, positionOf } from "./offset.ts";
import { RecoverySessions } from "./sessions.ts";
import type { KeptSession, LeavingSession, RestoredSession } from "./sessions.ts";

/** in ms */
const DEFAULT_MAX_DISCONNECTION_DURATION = 120_000;
const DEFAULT_MAX_LOG_BYTES = 16 * 1024 * 1024;
/** The objects around a logged event, in bytes, roughly. */
const BYTES_PER_EVENT = 512;
/** in ms */
const SWEEP_INTERVAL = 60_000;

/** How long an engine may take to find out that a connection is dead, in ms. */
interface HeartbeatOptions {
  readonly pingInterval?: number;
  readonly pingTimeout?: number;
  readonly upgradeTimeout?: number;
}

interface RecoveryServer {
  readonly opts: Partial<ServerOptions>;
  readonly engine?: { readonly opts?: HeartbeatOptions };
  readonly _parser?: Parser;
}

interface RecoveryNamespace extends AdapterNamespace {
  readonly server: AdapterNamespace["server"] & RecoveryServer;
}

/**
 * The adapter of a server with connection state recovery: keeps what was sent in memory, and the sessions of those who have
 * left. Every event carries, as its last argument, the offset that the client shows when it comes back.
 */
export class RecoveryAdapter extends MemoryAdapter {
  declare readonly nsp: RecoveryNamespace;
  /** A client that has received nothing yet has no offset; its session is restored all the same. */
  readonly restoresWithoutOffset: boolean = true;
  /** Called when the last session that waited for its client has expired. */
  onSessionsExpired: (() => void) | undefined = undefined;
  private readonly maxDisconnectionDuration: number;
  private readonly log: RecoveryLog;
  private readonly sessions: RecoverySessions = new RecoverySessions();
  private sweeper: ReturnType<typeof startInterval> | undefined = undefined;

  constructor(nsp: RecoveryNamespace) {
    super(nsp);
    const { maxDisconnectionDuration, maxLogBytes } = nsp.server.opts.connectionStateRecovery ?? {};
    this.maxDisconnectionDuration = maxDisconnectionDuration ?? DEFAULT_MAX_DISCONNECTION_DURATION;
    this.log = new RecoveryLog(Date.now(), maxLogBytes ?? DEFAULT_MAX_LOG_BYTES);
  }

  /** How long a connection can be dead before the heartbeat finds out, in ms. */
  private get blindTime(): number {
    // The engine may have options of its own, and comes later than the adapter.
    const { engine, opts } = this.nsp.server;
    const { pingInterval, pingTimeout, upgradeTimeout } = { ...opts, ...engine?.opts };
    // Those of the server may be text.
    return Number(pingInterval ?? 25_000) + Number(pingTimeout ?? 20_000) + Number(upgradeTimeout ?? 10_000);
  }

  /** Whether sessions wait for their clients. */
  get hasSessions(): boolean {
    return this.sessions.size > 0;
  }

  /** Forgets everything. */
  override close(): void {
    stopInterval(this.sweeper);
    this.sweeper = undefined;
    this.sessions.clear();
    this.log.clear();
  }

  override addAll(id: string, rooms: Set<string>): void {
    const joins = rooms.has(id) && !this.table.has(id, id);
    try {
      super.addAll(id, rooms);
    } finally {
      // A listener may throw, or make it leave.
      if (joins && this.table.has(id, id)) this.sessions.joined(id, this.log.position);
    }
  }

  override delAll(id: string): void {
    try {
      super.delAll(id);
    } finally {
      this.sessions.left(id);
    }
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    // The callback of an event that asks for an answer comes last, so that the client keeps the offset it has.
    if (packet.type !== PacketType.EVENT || packet.id !== undefined) {
      return super.broadcast(packet, target);
    }
    const isLogged = !target.flags?.volatile;
    const offset = offsetOf(this.log.position + (isLogged ? 1 : 0));
    // A copy: other namespaces may be handed the same packet.
    const data = [...(packet.data as unknown[]), offset];
    const stamped: Packet = { ...packet, data, nsp: this.nsp.name };
    const encoded = this.nsp.server.encoder.encode(stamped);
    if (isLogged) {
      const bytes = BYTES_PER_EVENT + byteLengthOf(encoded);
      this.remember({ encoded: copyOf(encoded), target, bytes, at: Date.now() });
    }
    this.send(stamped, encoded, target);
  }

  override persistSession(session: LeavingSession): void {
    this.sessions.keep(session, Date.now(), this.log.position);
    this.startSweeping();
  }

  /**
   * Finds a session and what its client has missed.
   * @param offset - of the latest event the client has received; without it, it has received none
   * @returns null if the session is unknown or has expired, or if something the client has missed is not held any more
   */
  override restoreSession(pid: string, offset?: string): Promise<RestoredSession> {
    this.sweep();
    const session = this.sessions.find(pid);
    const position = session && this.receivedBy(session, offset);
    if (session === undefined || position === undefined) {
      // The type of the base class leaves out that there may be none.
      return Promise.resolve(null as unknown as RestoredSession);
    }
    this.sessions.resume(session, position);
    return Promise.resolve(this.restored(session, position));
  }

  /** The position up to which the client of a session has received everything. */
  private receivedBy(session: KeptSession, offset: string | undefined): number | undefined {
    const claimed = offset === undefined ? session.start : positionOf(offset);
    if (claimed === undefined || claimed > this.log.position) return undefined;
    // An offset from before the session is that of an earlier one: in this one the client has received nothing.
    const position = Math.max(claimed, session.start);
    // What was dropped while the connection was alive has been received, or was for others.
    const wasAlive = this.log.droppedUntil < session.since - this.blindTime;
    return wasAlive || this.log.reaches(position) ? position : undefined;
  }

  private restored(session: KeptSession, position: number): RestoredSession {
    const { log } = this;
    const parser = this.nsp.server._parser ?? defaultParser;
    const { sid, pid, rooms, data } = session;
    const missed = packetsFor(rooms, log.between(position));
    const restoredAt = log.position;
    return {
      sid,
      pid,
      rooms,
      data,
      /** With what is sent before the socket joins: read when it does. */
      get missedEncoded() {
        return [...missed, ...packetsFor(rooms, log.between(restoredAt))];
      },
      get missedPackets() {
        return (this.missedEncoded ?? []).map((encoded) => dataOf(encoded, parser));
      },
    };
  }

  private remember(event: LoggedEvent): void {
    this.log.append(event);
    this.startSweeping();
  }

  private startSweeping(): void {
    if (this.sweeper !== undefined) return;
    this.sweeper = startInterval(() => this.sweep(), SWEEP_INTERVAL);
  }

  /** Drops what is too old; stops when nothing is left. */
  private sweep(): void {
    const oldest = Date.now() - this.maxDisconnectionDuration;
    const { hasSessions } = this;
    this.sessions.dropBefore(oldest);
    if (hasSessions && !this.hasSessions) this.onSessionsExpired?.();
    this.log.dropBefore(oldest - this.blindTime);
    if (this.sessions.size === 0 && this.log.size === 0) {
      stopInterval(this.sweeper);
      this.sweeper = undefined;
    }
  }
}

/** Those of the events that were for a socket in these rooms. */
function packetsFor(sessionRooms: readonly string[], events: Iterable<LoggedEvent>): EncodedPacket[] {
  const missed: EncodedPacket[] = [];
  for (const { encoded, target } of events) {
    const isIncluded = target.rooms.size === 0 || sessionRooms.some((room) => target.rooms.has(room));
    const isExcepted = target.except !== undefined && sessionRooms.some((room) => target.except?.has(room));
    if (isIncluded && !isExcepted) missed.push(encoded);
  }
  return missed;
}

function dataOf(encoded: EncodedPacket, parser: Parser): unknown[] {
  let decoded: Packet | undefined;
  const decoder = createDecoder(parser, { ondecoded: (packet) => (decoded = packet) });
  for (const part of encoded) decoded = decoder.add(part as string | Binary) ?? decoded;
  return decoded?.data as unknown[];
}

/** The application may write into what it has sent, and a parser into what it has encoded. */
function copyOf(encoded: EncodedPacket): EncodedPacket {
  return encoded.map((part) => (isBytes(part) ? Buffer.from(toBuffer(part)) : part));
}

function isBytes(part: unknown): part is Binary {
  return ArrayBuffer.isView(part) || part instanceof ArrayBuffer;
}

function byteLengthOf(encoded: EncodedPacket): number {
  let bytes = 0;
  for (const part of encoded) {
    if (typeof part === "string") bytes += Buffer.byteLength(part);
    else if (isBytes(part)) bytes += part.byteLength;
  }
  return bytes;
}
