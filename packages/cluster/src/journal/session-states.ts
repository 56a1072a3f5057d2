import type { internals } from "@tidewire/server";
import type { Room, SocketId } from "socket.io-adapter";
import { decodeValues, encodeValues } from "../broadcasting/wire.ts";
import { packParts, unpackParts } from "./items.ts";
import type { StateChange } from "./journal.ts";

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
}

type Written = [sid: string, start: string, rooms: Room[], expiresAt: number, data: string[]];

/** @throws TypeError if the data cannot be encoded, such as circular ones */
export function writeState({ sid, start, rooms, data, expiresAt }: Omit<JournaledState, "pid">): string {
  const written: Written = [sid, start, rooms, expiresAt ?? 0, packParts(encodeValues([data]))];
  return JSON.stringify(written);
}

export function readState(pid: string, text: string): JournaledState {
  const [sid, start, rooms, expiresAt, data] = JSON.parse(text) as Written;
  const state = { sid, pid, start, rooms, data: decodeValues(unpackParts(data))[0] };
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
  /** When this node has taken the state over: the time of the journal, in ms; 0 if it was not another's. */
  readonly since: number;
}

/** The states of the sockets of one namespace on this node: what of them the journal has yet to learn. */
export class SessionStates {
  readonly #namespace: string;
  readonly #sockets: ReadonlyMap<SocketId, RecoverableSocket>;
  readonly #kept: Map<SocketId, KeptSocket> = new Map();
  readonly #changed: Set<SocketId> = new Set();
  /** When states of this node began to wait for their clients, by pid; the oldest is first. */
  readonly #waiting: Map<string, number> = new Map();

  constructor(namespace: string, sockets: ReadonlyMap<SocketId, RecoverableSocket>) {
    this.#namespace = namespace;
    this.#sockets = sockets;
  }

  /**
   * A socket has joined.
   *
   * @param start - what its client has received; until the place of the namespace is known, how many items this node has sent
   * @param since - when its state was taken over; undefined if it has none yet
   */
  joined(id: SocketId, start: string | number, since: number | undefined): void {
    const pid = this.#sockets.get(id)?.pid;
    if (pid === undefined) return;
    this.#changed.add(id);
    // It had left all rooms.
    if (this.#kept.get(id)?.pid === pid) return;
    this.#waiting.delete(pid);
    const isNew = since === undefined;
    this.#kept.set(id, { pid, start, written: undefined, isNew, since: since ?? 0 });
  }

  /** Whether the state of a socket is of this node since then, or later: the time of the journal, in ms. */
  isSince(id: SocketId, at: number): boolean {
    return (this.#kept.get(id)?.since ?? 0) >= at;
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
    const { isNew, start } = kept;
    if (typeof start === "number") return undefined;
    this.#forget(state.sid);
    this.wait(state.pid);
    return this.#change(state.pid, this.#write({ ...state, start }), isNew, true);
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
      const state = { sid: id, start, rooms: [...rooms], data };
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
  #write(state: Omit<JournaledState, "pid">): string | undefined {
    try {
      return writeState(state);
    } catch {
      return undefined;
    }
  }

  #change(pid: string, state: string | undefined, isNew: boolean, hasLeft: boolean): StateChange {
    return { namespace: this.#namespace, pid, state, isNew, hasLeft };
  }
}
