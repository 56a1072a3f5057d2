import type { Session } from "socket.io-adapter";
import type { EncodedPacket } from "../connection/port.ts";

/** What an adapter is asked to keep of a socket that has left. */
export type LeavingSession = Omit<Session, "missedPackets">;

/** A session that was found again. */
export interface RestoredSession extends Session {
  /** what its client has missed, if the adapter keeps it encoded; read when the socket joins */
  readonly missedEncoded?: readonly EncodedPacket[];
}

/** A session that waits for its client. */
export interface KeptSession extends LeavingSession {
  /** when its socket left, in ms */
  readonly since: number;
  /** where in the log the session began */
  readonly start: number;
}

/** A session that its client has come back to, as long as the socket has not joined. */
interface ResumedSession {
  readonly session: KeptSession;
  /** what the client has received, as a position in the log */
  readonly position: number;
}

/** The sessions of a namespace: where those of its sockets began, and those that wait for their clients. */
export class RecoverySessions {
  private readonly starts = new Map<string, number>();
  // In the order in which their sockets left.
  private readonly waiting = new Map<string, KeptSession>();
  private readonly resumed = new Map<string, ResumedSession>();

  /** How many wait for their clients. */
  get size(): number {
    return this.waiting.size;
  }

  /** A socket has joined: in a new session, which starts here, or in one that was resumed, which waits no more. */
  joined(sid: string, position: number): void {
    const resumed = this.resumed.get(sid);
    this.resumed.delete(sid);
    // What was missed is only on its way now: until the client says more, the session starts where it was.
    this.starts.set(sid, resumed?.position ?? position);
    if (resumed !== undefined && this.waiting.get(resumed.session.pid) === resumed.session) {
      this.waiting.delete(resumed.session.pid);
    }
  }

  /** A socket is gone; its session may have been kept before. */
  left(sid: string): void {
    this.starts.delete(sid);
    this.resumed.delete(sid);
  }

  /** Keeps the session of a socket that leaves now. */
  keep(session: LeavingSession, now: number, position: number): void {
    const start = this.starts.get(session.sid) ?? position;
    this.waiting.delete(session.pid);
    this.waiting.set(session.pid, { ...session, since: now, start });
  }

  find(pid: string): KeptSession | undefined {
    return this.waiting.get(pid);
  }

  /** The client has come back, and has received what is at this position. The session waits until its socket joins. */
  resume(session: KeptSession, position: number): void {
    this.resumed.set(session.sid, { session, position });
  }

  /** Forgets the sessions whose sockets left before this time, in ms. */
  dropBefore(time: number): void {
    for (const [pid, { since }] of this.waiting) {
      if (since >= time) return;
      this.waiting.delete(pid);
    }
  }

  clear(): void {
    this.starts.clear();
    this.waiting.clear();
    this.resumed.clear();
  }
}
