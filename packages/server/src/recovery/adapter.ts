import { createDecoder, defaultParser, PacketType, toBuffer } from "@tidewire/parser";
import type { Binary, Packet, Parser } from "@tidewire/parser";
import type { BroadcastOptions } from "socket.io-adapter";
import { MemoryAdapter } from "../rooms/memory-adapter.ts";
import type { AdapterNamespace } from "../rooms/memory-adapter.ts";
import type { EncodedPacket } from "../connection/port.ts";
import { DEFAULT_MAX_DISCONNECTION_DURATION } from "../options.ts";
import type { ServerOptions } from "../options.ts";
import { startInterval, stopInterval } from "../timers.ts";
import { blindTimeOf } from "./blind-time.ts";
import type { HeartbeatServer } from "./blind-time.ts";
import { RecoveryLog } from "./log.ts";
import type { LoggedEvent } from "./log.ts";
import { offsetOf, positionOf } from "./offset.ts";
import { RecoveryStates } from "./states.ts";
import type { KeptState, LeavingState, RestoredState } from "./states.ts";

const DEFAULT_MAX_LOG_BYTES = 16 * 1024 * 1024;
/** The approximate size of the objects around a logged event, in bytes. */
const BYTES_PER_EVENT = 512;
/** in ms */
const SWEEP_INTERVAL = 60_000;

interface RecoveryServer extends HeartbeatServer {
  readonly opts: Partial<ServerOptions>;
  readonly _parser?: Parser;
}

/** An event with its offset, as it was when it was sent. */
interface SentEvent extends LoggedEvent {
  readonly encoded: EncodedPacket;
  readonly target: Pick<BroadcastOptions, "rooms" | "except">;
}

interface RecoveryNamespace extends AdapterNamespace {
  readonly server: AdapterNamespace["server"] & RecoveryServer;
}

/**
 * The adapter of a server with connection state recovery: keeps in memory what was sent and the states of sockets
 * that have left. Every event carries, as its last argument, the offset that the client presents when it comes back.
 */
export class RecoveryAdapter extends MemoryAdapter {
  declare readonly nsp: RecoveryNamespace;
  /** A client that has received nothing yet has no offset; its state is restored too. */
  readonly restoresWithoutOffset: boolean = true;
  /** Called when the last state that waited for its client has expired. */
  onStatesExpired: (() => void) | undefined = undefined;
  private readonly maxDisconnectionDuration: number;
  private readonly log: RecoveryLog<SentEvent>;
  private readonly states: RecoveryStates = new RecoveryStates();
  private sweeper: ReturnType<typeof startInterval> | undefined = undefined;

  constructor(nsp: RecoveryNamespace) {
    super(nsp);
    const { maxDisconnectionDuration, maxLogBytes } = nsp.server.opts.connectionStateRecovery ?? {};
    this.maxDisconnectionDuration = maxDisconnectionDuration ?? DEFAULT_MAX_DISCONNECTION_DURATION;
    this.log = new RecoveryLog(Date.now(), maxLogBytes ?? DEFAULT_MAX_LOG_BYTES);
  }

  /** Whether states wait for their clients. */
  get hasStates(): boolean {
    return this.states.size > 0;
  }

  /** Drops all states and events. */
  override close(): void {
    stopInterval(this.sweeper);
    this.sweeper = undefined;
    this.states.clear();
    this.log.clear();
  }

  override addAll(id: string, rooms: Set<string>): void {
    const joins = rooms.has(id) && !this.table.has(id, id);
    try {
      void super.addAll(id, rooms);
    } finally {
      // A listener may throw, or make the socket leave.
      if (joins && this.table.has(id, id)) this.states.joined(id, this.log.position);
    }
  }

  override delAll(id: string): void {
    try {
      super.delAll(id);
    } finally {
      this.states.left(id);
    }
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    // An event that asks for an answer ends in its callback, so that the client keeps the offset it has.
    if (packet.type !== PacketType.EVENT || packet.id !== undefined) {
      return super.broadcast(packet, target);
    }
    const isLogged = !target.flags?.volatile;
    const offset = offsetOf(this.log.position + (isLogged ? 1 : 0));
    // A copy, because other namespaces may be given the same packet.
    const data = [...(packet.data as unknown[]), offset];
    const stamped: Packet = { ...packet, data, nsp: this.nsp.name };
    const encoded = this.nsp.server.encoder.encode(stamped);
    if (isLogged) {
      const bytes = BYTES_PER_EVENT + byteLengthOf(encoded);
      this.remember({ encoded: copyOf(encoded), target, bytes, at: Date.now() });
    }
    this.send(stamped, encoded, target);
  }

  override persistSession(state: LeavingState): void {
    this.states.keep(state, Date.now(), this.log.position);
    this.startSweeping();
  }

  /**
   * Finds a state and what its client has missed.
   * @param offset - of the latest event that the client has received; undefined if it has received none
   * @returns null if the state is unknown or has expired, or if an event that the client has missed is no longer held
   */
  override restoreSession(pid: string, offset?: string): Promise<RestoredState> {
    this.sweep();
    const state = this.states.find(pid);
    const position = state && this.receivedBy(state, offset);
    if (state === undefined || position === undefined) {
      // The type of the base class does not allow null.
      return Promise.resolve(null as unknown as RestoredState);
    }
    this.states.resume(state, position);
    return Promise.resolve(this.restored(state, position));
  }

  /** The position up to which the client of a state has received everything. */
  private receivedBy(state: KeptState, offset: string | undefined): number | undefined {
    const claimed = offset === undefined ? state.start : positionOf(offset);
    if (claimed === undefined || claimed > this.log.position) return undefined;
    // A lower offset belongs to an earlier state: since this one began the client has received nothing.
    const position = Math.max(claimed, state.start);
    // Events that were dropped while the connection was alive were received, or were for others.
    const wasAlive = this.log.droppedUntil < state.since - blindTimeOf(this.nsp.server);
    return wasAlive || this.log.reaches(position) ? position : undefined;
  }

  private restored(state: KeptState, position: number): RestoredState {
    const { log } = this;
    const parser = this.nsp.server._parser ?? defaultParser;
    const { sid, pid, rooms, data, expiresAt } = state;
    const missed = packetsFor(rooms, log.between(position));
    const restoredAt = log.position;
    return {
      sid,
      pid,
      rooms,
      data,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      /** Includes what is sent until the socket joins, which reads it then. */
      get missedEncoded() {
        return [...missed, ...packetsFor(rooms, log.between(restoredAt))];
      },
      get missedPackets() {
        return (this.missedEncoded ?? []).map((encoded) => dataOf(encoded, parser));
      },
    };
  }

  private remember(event: SentEvent): void {
    this.log.append(event);
    this.startSweeping();
  }

  private startSweeping(): void {
    if (this.sweeper !== undefined) return;
    this.sweeper = startInterval(() => this.sweep(), SWEEP_INTERVAL);
  }

  /** Drops what is too old, and stops the timer when nothing is left. */
  private sweep(): void {
    const oldest = Date.now() - this.maxDisconnectionDuration;
    const { hasStates } = this;
    this.states.dropBefore(oldest);
    if (hasStates && !this.hasStates) this.onStatesExpired?.();
    this.log.dropBefore(oldest - blindTimeOf(this.nsp.server));
    if (this.states.size === 0 && this.log.size === 0) {
      stopInterval(this.sweeper);
      this.sweeper = undefined;
    }
  }
}

/** The events that were for a socket in these rooms. */
function packetsFor(rooms: readonly string[], events: Iterable<SentEvent>): EncodedPacket[] {
  const missed: EncodedPacket[] = [];
  for (const { encoded, target } of events) {
    const isIncluded = target.rooms.size === 0 || rooms.some((room) => target.rooms.has(room));
    const isExcepted = target.except !== undefined && rooms.some((room) => target.except?.has(room));
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

/** Copies the bytes, because the application may write into its buffer, and a parser into what it has encoded. */
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
