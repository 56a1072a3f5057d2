import type { Session } from "../session/session.ts";

/** All of a URL before its last parameters: a time stamp, if there is one, which is ignored, and the sid. */
const USUAL = /^([^#]*?[?&])(?:t=[^&#]*&)?sid=[^&#]*$/;

/**
 * The query that clients send with each poll and post of a session. It differs by the values of `t` and `sid` alone, which come last:
 * once a URL was parsed and routed, others that begin with the same parameters need not be.
 */
export class UsualQuery {
  readonly #find: (sid: string) => Session | undefined;
  #start: string | undefined = undefined;
  #protocol = 0;

  constructor(find: (sid: string) => Session | undefined) {
    this.#find = find;
  }

  /** Remembers the query of a poll or post that was routed to its session. */
  learn(url: string, session: Session): void {
    const start = USUAL.exec(url)?.[1];
    if (start === undefined) return;
    this.#start = start;
    this.#protocol = session.protocol;
  }

  /** Returns the session that a poll or post belongs to, if its query is the usual one. */
  sessionOf(url: string): Session | undefined {
    const start = this.#start;
    if (start === undefined || !url.startsWith(start) || url.includes("#")) return undefined;
    const at = url.startsWith("t=", start.length) ? url.indexOf("&", start.length) + 1 : start.length;
    if (at === 0 || !url.startsWith("sid=", at)) return undefined;
    const session = this.#find(url.slice(at + "sid=".length));
    const isUsual = session?.transport.name === "polling" && session.protocol === this.#protocol;
    return isUsual ? session : undefined;
  }
}
