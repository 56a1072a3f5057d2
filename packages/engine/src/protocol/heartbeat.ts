import { Deadline } from "../loop/clock.ts";
import type { Clock } from "../loop/clock.ts";

/** What a heartbeat reads of its session. */
export interface HeartbeatSession {
  readonly server: {
    readonly clock: Clock;
    /** In ms. */
    readonly opts: { readonly pingInterval: number; readonly pingTimeout: number };
  };
  /** While a transport is being probed the client cannot answer, so the heartbeat waits. */
  readonly upgrading: boolean;
}

/** What a heartbeat does to its session. One record serves all sessions. */
export interface HeartbeatHandlers<Session> {
  /** Whether packets of the client wait for their turn: the sign of life may be among them. */
  isBehind(session: Session): boolean;
  sendPing(session: Session): void;
  sendPong(session: Session): void;
  /** The client is alive. */
  onHeartbeat(session: Session): void;
  onPingTimeout(session: Session): void;
  /** The client sent what only the server sends in this version, or the other way round. */
  onWrongDirection(session: Session): void;
}

/** Finds connections that are half open. It has one entry in the clock, whatever its state. */
export abstract class Heartbeat extends Deadline {
  protected readonly session: HeartbeatSession;
  protected readonly handlers: HeartbeatHandlers<HeartbeatSession>;

  constructor(session: HeartbeatSession, handlers: HeartbeatHandlers<HeartbeatSession>) {
    super();
    this.session = session;
    this.handlers = handlers;
  }

  abstract start(): void;
  abstract onPing(): void;
  abstract onPong(): void;
  /** Called for any other packet: the client is alive. */
  abstract onActivity(): void;
  /** Called when an upgrade has ended. */
  abstract resume(): void;
  /** Sends the next ping now, if one is due at all; returns whether it was sent. */
  abstract advance(): boolean;

  stop(): void {
    this.session.server.clock.cancel(this);
  }

  protected schedule(ms: number): void {
    this.session.server.clock.schedule(this, ms);
  }
}

/** The phases of a heartbeat of v4. */
type Phase =
  /** The next ping is not due yet. */
  | "resting"
  /** The pong is due. */
  | "waiting"
  /** The pong is due later: a silent client gets more time, once per ping, when it sends something else. */
  | "extended";

/** v4: the server sends a ping every `pingInterval` ms after the last pong and expects the next one within `pingTimeout` ms. */
export class ServerHeartbeat extends Heartbeat {
  #phase: Phase = "resting";

  start(): void {
    this.#phase = "resting";
    this.schedule(this.session.server.opts.pingInterval);
  }

  onPing(): void {
    this.handlers.onWrongDirection(this.session);
  }

  onPong(): void {
    this.start();
    this.handlers.onHeartbeat(this.session);
  }

  onActivity(): void {
    // Not while it is held by an upgrade.
    if (this.#phase !== "waiting" || !this.isScheduled) return;
    this.#phase = "extended";
    this.#awaitPong();
  }

  onExpired(): void {
    // Held until the upgrade has ended.
    if (this.session.upgrading) return;
    if (this.#phase === "resting") this.#ping();
    else if (this.handlers.isBehind(this.session)) this.#awaitPong();
    else this.handlers.onPingTimeout(this.session);
  }

  resume(): void {
    if (this.isScheduled) return;
    if (this.#phase === "resting") this.#ping();
    else this.#awaitPong();
  }

  advance(): boolean {
    if (this.#phase !== "resting") return false;
    this.#ping();
    return true;
  }

  #ping(): void {
    this.#phase = "waiting";
    this.#awaitPong();
    this.handlers.sendPing(this.session);
  }

  #awaitPong(): void {
    this.schedule(this.session.server.opts.pingTimeout);
  }
}

/** v3: the client pings. One that is silent for longer than `pingInterval` and `pingTimeout` together is gone. */
export class ClientHeartbeat extends Heartbeat {
  start(): void {
    const { pingInterval, pingTimeout } = this.session.server.opts;
    // An application may have assigned text to `engine.opts`.
    this.schedule(Number(pingInterval) + Number(pingTimeout));
  }

  onPing(): void {
    this.start();
    this.handlers.sendPong(this.session);
    this.handlers.onHeartbeat(this.session);
  }

  onPong(): void {
    this.handlers.onWrongDirection(this.session);
  }

  onActivity(): void {}

  onExpired(): void {
    if (this.session.upgrading || this.handlers.isBehind(this.session)) this.start();
    else this.handlers.onPingTimeout(this.session);
  }

  resume(): void {}

  advance(): boolean {
    return false;
  }
}
