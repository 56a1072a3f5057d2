import type { Session } from "socket.io-adapter";
import type { EncodedPacket } from "../connection/port.ts";

/** The state of a socket that has left, as an adapter is asked to keep it. `socket.io-adapter` calls it a session. */
export interface LeavingState extends Omit<Session, "missedPackets"> {
  /** when the credentials of the socket end, in ms since 1970; missing if they do not */
  readonly expiresAt?: number;
}

/** A state that was found again. */
export interface RestoredState extends Session {
  /** when the credentials of the socket end, in ms since 1970; missing if they do not */
  readonly expiresAt?: number;
  /** what the client has missed, where the adapter keeps it encoded; read when the socket joins */
  readonly missedEncoded?: readonly EncodedPacket[];
}

/** A state that waits for its client. */
export interface KeptState extends LeavingState {
  /** when its socket left, in ms */
  readonly since: number;
  /** the position in the log at which it began */
  readonly start: number;
}

/** A state whose client has come back and whose socket has not joined yet. */
interface ResumedState {
  readonly state: KeptState;
  /** the position in the log up to which the client has received everything */
  readonly position: number;
}

/** The recovery states of a namespace: where those of its sockets began, and those that wait for their clients. */
export class RecoveryStates {
  /** by socket id */
  readonly #starts = new Map<string, number>();
  /** by pid, in the order in which their sockets left */
  readonly #waiting = new Map<string, KeptState>();
  /** by socket id */
  readonly #resumed = new Map<string, ResumedState>();

  /** How many wait for their clients. */
  get size(): number {
    return this.#waiting.size;
  }

  /** A socket has joined: its state is new and starts at this position, or was resumed and no longer waits. */
  joined(sid: string, position: number): void {
    const resumed = this.#resumed.get(sid);
    this.#resumed.delete(sid);
    // The missed events are only on their way. Until the client confirms more, its state starts where it was.
    this.#starts.set(sid, resumed?.position ?? position);
    if (resumed !== undefined && this.#waiting.get(resumed.state.pid) === resumed.state) {
      this.#waiting.delete(resumed.state.pid);
    }
  }

  /** A socket has left; its state may have been kept before. */
  left(sid: string): void {
    this.#starts.delete(sid);
    this.#resumed.delete(sid);
  }

  /** Keeps the state of a socket that leaves now. */
  keep(state: LeavingState, now: number, position: number): void {
    const start = this.#starts.get(state.sid) ?? position;
    this.#waiting.delete(state.pid);
    this.#waiting.set(state.pid, { ...state, since: now, start });
  }

  find(pid: string): KeptState | undefined {
    return this.#waiting.get(pid);
  }

  /** The client has come back and has received everything up to this position. The state waits until its socket joins. */
  resume(state: KeptState, position: number): void {
    this.#resumed.set(state.sid, { state, position });
  }

  /** Drops the states whose sockets left before this time, in ms. */
  dropBefore(time: number): void {
    for (const [pid, { since }] of this.#waiting) {
      if (since >= time) return;
      this.#waiting.delete(pid);
    }
  }

  clear(): void {
    this.#starts.clear();
    this.#waiting.clear();
    this.#resumed.clear();
  }
}
