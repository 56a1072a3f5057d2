import type { internals } from "@tidewire/server";
import type { Room, SocketId } from "socket.io-adapter";
import { decodeValues, encodeValues } from "../broadcasting/wire.ts";
import { packParts, unpackParts } from "./items.ts";
import type { PublisherId, StateChange } from "./journal.ts";
import type { Had } from "./offset.ts";

/** A socket that can be recovered. */
export interface RecoverableSocket {
  readonly id: SocketId;
  readonly pid: string | undefined;
  readonly rooms: Set<Room>;
  readonly data: unknown;
  readonly _expiresAt: number | undefined;
  readonly _gone: boolean;
}

/** A state as the journal keeps it. */
export interface JournaledState extends internals.LeavingState {
  /** What the client had received when it began, as an offset. */
  readonly start: string;
  /** The node on which its socket is, or was last. Others may have taken the state over since, and their clients have not come. */
  readonly home: PublisherId;
  /** What the client had of the nodes on which it was, when it began. */
  readonly had: Had;
}

type Written = [
  sid: string,
  start: string,
  rooms: Room[],
  expiresAt: number,
  data: string[],
  home: PublisherId,
  had: [PublisherId, number][],
];

/** @throws TypeError if the data cannot be encoded, such as circular ones */
export function writeState({
  sid,
  start,
  rooms,
  data,
  expiresAt,
  home,
  had,
}: Omit<JournaledState, "pid">): string {
  const encoded = packParts(encodeValues([data]));
  const written: Written = [sid, start, rooms, expiresAt ?? 0, encoded, home, [...had]];
  return JSON.stringify(written);
}

export function readState(pid: string, text: string): JournaledState {
  const [sid, start, rooms, expiresAt, encoded, home, had] = JSON.parse(text) as Written;
  const [data] = decodeValues(unpackParts(encoded));
  const state = { sid, pid, start, rooms, data, home, had: new Map(had) };
  return expiresAt === 0 ? state : { ...state, expiresAt };
}

interface KeptSocket {
  readonly pid: string;
  /** Until it is known where the namespace is: how many items of this node had been sent when the socket joined. */
  start: string | number;
  /** The state as the journal has it. */
  written: string | undefined;
  /** Whether the journal may not have a state of it. */
  isNew: boolean;
  /** When this node has taken the state over; 0 if it was not another's. */
  readonly takenAt: number;
  readonly had: Had;
}

const nothing: Had = new Map();

/** The states of the sockets of one namespace on this node: what of them the journal has yet to learn. */
export class SessionStates {
  readonly #namespace: string;
  readonly #home: PublisherId;
  readonly #sockets: ReadonlyMap<SocketId, RecoverableSocket>;
  readonly #kept: Map<SocketId, KeptSocket> = new Map();
  readonly #changed: Set<SocketId> = new Set();
  /** When states of this node began to wait for their clients, by pid; the oldest is first. */
  readonly #waiting: Map<string, number> = new Map();

  /** @param home - this node */
  constructor(namespace: string, home: PublisherId, sockets: ReadonlyMap<SocketId, RecoverableSocket>) {
    this.#namespace = namespace;
    this.#home = home;
    this.#sockets = sockets;
  }

  /**
   * A socket has joined.
   *
   * @param start - what its client has received; until the place of the namespace is known, how many items this node has sent
   * @param takenAt - when its state was taken over; undefined if it has none yet
   * @param had - what its client has of the nodes on which it was
   */
  joined(id: SocketId, start: string | number, takenAt: number | undefined, had: Had = nothing): void {
    const pid = this.#sockets.get(id)?.pid;
    if (pid === undefined) return;
    this.#changed.add(id);
    // It had left all rooms.
    if (this.#kept.get(id)?.pid === pid) return;
    this.#waiting.delete(pid);
    const isNew = takenAt === undefined;
    this.#kept.set(id, { pid, start, written: undefined, isNew, takenAt: takenAt ?? 0, had });
  }

  /** When this node has taken over the state of a socket; 0 if it was not another's. */
  takenAt(id: SocketId): number {
    return this.#kept.get(id)?.takenAt ?? 0;
  }

  /**
   * The rooms of a socket have changed.
   *
   * @returns whether that has to be written
   */
  changed(id: SocketId): boolean {
    if (!this.#kept.has(id)) return false;
    this.#changed.add(id);
    return true;
  }

  /**
   * A socket leaves, and its client may come back.
   *
   * @returns the change, undefined if there is no state
   */
  leave(state: internals.LeavingState): StateChange | undefined {
    const kept = this.#kept.get(state.sid);
    if (kept === undefined) return undefined;
    const { isNew, start, had } = kept;
    if (typeof start === "number") return undefined;
    this.#forget(state.sid);
    this.wait(state.pid);
    return this.#change(state.pid, this.#write({ ...state, start, had }), isNew, true);
  }

  /**
   * A socket has left.
   *
   * @returns the change, undefined if there is no state or it waits for its client
   */
  left(id: SocketId): StateChange | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined) return undefined;
    this.#forget(id);
    return this.#change(kept.pid, undefined, false, false);
  }

  #forget(id: SocketId): void {
    this.#kept.delete(id);
    this.#changed.delete(id);
  }

  /** A state of this node waits for its client. */
  wait(pid: string): void {
    this.#waiting.delete(pid);
    this.#waiting.set(pid, Date.now());
  }

  /** Whether states of this node wait for their clients. */
  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes over the states that wait since an earlier time of the namespace on this node. */
  adopt(earlier: SessionStates | undefined): void {
    if (earlier === undefined || earlier === this) return;
    for (const [pid, at] of earlier.#waiting) if (!this.#waiting.has(pid)) this.#waiting.set(pid, at);
  }

  /** Looks at all sockets again: their data may have changed, without notice. */
  lookAgain(): void {
    for (const id of this.#kept.keys()) this.#changed.add(id);
  }

  /** The journal has lost all states. */
  rewrite(): void {
    for (const kept of this.#kept.values()) {
      kept.isNew = true;
      kept.written = undefined;
    }
    this.lookAgain();
  }

  /**
   * Returns what has changed.
   *
   * @param offsetAfter - what a client has received that got everything up to an item of this node, and none after it
   */
  *changes(offsetAfter: (sent: number) => string): Generator<StateChange> {
    for (const id of this.#changed) {
      const kept = this.#kept.get(id);
      const socket = this.#sockets.get(id);
      if (kept === undefined || socket === undefined || socket.pid !== kept.pid) continue;
      const { _expiresAt: expiresAt, data, rooms } = socket;
      const start = typeof kept.start === "number" ? offsetAfter(kept.start) : kept.start;
      kept.start = start;
      const state = { sid: id, start, rooms: [...rooms], data, had: kept.had };
      const written = this.#write(expiresAt === undefined ? state : { ...state, expiresAt });
      if (written === kept.written) continue;
      kept.written = written;
      yield this.#change(kept.pid, written, kept.isNew, false);
      kept.isNew = false;
    }
    this.#changed.clear();
  }

  /** Returns the states that have waited for too long, which are removed. */
  *expired(since: number): Generator<StateChange> {
    for (const [pid, at] of this.#waiting) {
      if (at >= since) return;
      this.#waiting.delete(pid);
      yield this.#change(pid, undefined, false, false);
    }
  }

  /** Data that cannot be encoded cannot be recovered, and neither can the socket. */
  #write(state: Omit<JournaledState, "pid" | "home">): string | undefined {
    try {
      return writeState({ ...state, home: this.#home });
    } catch {
      return undefined;
    }
  }

  #change(pid: string, state: string | undefined, isNew: boolean, hasLeft: boolean): StateChange {
    return { namespace: this.#namespace, pid, state, isNew, hasLeft };
  }
}
