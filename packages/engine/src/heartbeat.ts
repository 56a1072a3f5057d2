import { Deadline } from "./clock.ts";
import type { Clock } from "./clock.ts";

/** What a heartbeat does to its session. */
export interface HeartbeatTarget {
  /** While a transport is being probed the client cannot answer; the heartbeat waits. */
  readonly upgrading: boolean;
  sendPing(): void;
  sendPong(): void;
  onHeartbeat(): void;
  onPingTimeout(): void;
  onWrongDirection(): void;
}

/** Finds connections that are half open. One entry in the clock, whatever the state. */
export abstract class Heartbeat extends Deadline {
  protected readonly target: HeartbeatTarget;
  protected readonly clock: Clock;

  constructor(target: HeartbeatTarget, clock: Clock) {
    super();
    this.target = target;
    this.clock = clock;
  }

  abstract start(): void;
  abstract onPing(): void;
  abstract onPong(): void;
  /** Any other packet: the client is alive. */
  abstract onActivity(): void;
  /** The upgrade that was under way has ended. */
  abstract resume(): void;

  stop(): void {
    this.clock.cancel(this);
  }
}

/** v4: the server sends a ping every `interval` ms after the last pong and expects the next within `timeout` ms. */
export class ServerHeartbeat extends Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  #waiting = false;
  /** A silent client gets more time once per ping when it sends something else. */
  #extended = false;
  #held = false;

  constructor(target: HeartbeatTarget, clock: Clock, interval: number, timeout: number) {
    super(target, clock);
    this.#interval = interval;
    this.#timeout = timeout;
  }

  start(): void {
    this.#waiting = this.#held = false;
    this.clock.schedule(this, this.#interval);
  }

  onPing(): void {
    this.target.onWrongDirection();
  }

  onPong(): void {
    this.start();
    this.target.onHeartbeat();
  }

  onActivity(): void {
    if (!this.#waiting || this.#extended || this.#held) return;
    this.#extended = true;
    this.clock.schedule(this, this.#timeout);
  }

  expire(): void {
    if (this.target.upgrading) {
      this.#held = true;
    } else if (this.#waiting) {
      this.target.onPingTimeout();
    } else {
      this.#ping();
    }
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#waiting) this.clock.schedule(this, this.#timeout);
    else this.#ping();
  }

  #ping(): void {
    this.#waiting = true;
    this.#extended = false;
    this.clock.schedule(this, this.#timeout);
    this.target.sendPing();
  }
}

/** v3: the client pings; a client that is silent for `limit` ms is gone. */
export class ClientHeartbeat extends Heartbeat {
  readonly #limit: number;

  constructor(target: HeartbeatTarget, clock: Clock, limit: number) {
    super(target, clock);
    this.#limit = limit;
  }

  start(): void {
    this.clock.schedule(this, this.#limit);
  }

  onPing(): void {
    this.start();
    this.target.sendPong();
    this.target.onHeartbeat();
  }

  onPong(): void {
    this.target.onWrongDirection();
  }

  onActivity(): void {}

  expire(): void {
    if (this.target.upgrading) this.start();
    else this.target.onPingTimeout();
  }

  resume(): void {}
}
