import { hasListeners } from "../loop/quiet-emitter.ts";
import type { Message } from "../protocol/packet.ts";
import { WebSocketTransport } from "../transport/websocket.ts";
import { Audience } from "./audience.ts";
import type { Session } from "./session.ts";

/** Sessions of one engine that broadcasts reach together. For the Socket.IO server, which keeps one for each busy room. */
export class SessionAudience {
  readonly #audience: Audience<Session>;
  readonly #broadcasts: Session["server"]["broadcasts"];
  readonly #epoch: number;

  /**
   * @param sessions - of one engine, at least one, all of them accepted
   * @param isDisjoint - whether no session is in another audience that may be sent to at the same time
   */
  constructor(sessions: readonly [Session, ...Session[]], isDisjoint: boolean) {
    const fanOut = WebSocketTransport.fanOut(sessions.map(({ transport }) => transport));
    this.#audience = new Audience(sessions, isDisjoint, fanOut);
    this.#broadcasts = sessions[0].server.broadcasts;
    this.#epoch = this.#broadcasts.epoch;
  }

  /** Whether a session may be part of an audience. Messages for the others are sent to each by itself. */
  static accepts(session: Session): boolean {
    const { transport } = session;
    return (
      transport.name === "websocket" &&
      !hasListeners(session, "packetCreate") &&
      !hasListeners(session, "flush") &&
      !hasListeners(session, "drain") &&
      !hasListeners(transport, "drain")
    );
  }

  /** Marks the audiences of an engine as out of date: a session belongs to more of them than before. */
  static invalidate(session: Session): void {
    session.server.broadcasts.epoch++;
  }

  /** Whether each session would still be accepted. */
  get isCurrent(): boolean {
    return this.#epoch === this.#broadcasts.epoch;
  }

  /** Some session has become part of another audience. */
  overlap(): void {
    this.#audience.isDisjoint = false;
  }

  /** Sends messages to all sessions but some. Returns to how many. */
  send(messages: readonly Message[], except: readonly object[]): number {
    return this.#broadcasts.send(this.#audience, messages, except);
  }
}
