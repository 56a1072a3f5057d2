import { Deadline } from "../loop/clock.ts";
import type { Clock } from "../loop/clock.ts";

/** What a heartbeat does to its session. */
export interface HeartbeatTarget {
  /** While a transport is being probed the client cannot answer; the heartbeat waits. */
  readonly upgrading: boolean;
  /** What the client has sent waits for its turn; the sign of life may be among it. */
  readonly isBehind: boolean;
  sendPing(): void;
  sendPong(): void;
  onHeartbeat(): void;
  onPingTimeout(): void;
  onWrongDirection(): void;
}

/** What a heartbeat needs of the engine. */
export interface HeartbeatOwner {
  readonly clock: Clock;
  /** In ms. */
  readonly opts: { readonly pingInterval: number; readonly pingTimeout: number };
}

/** Finds connections that are half open. One entry in the clock, whatever the state. */
export abstract class Heartbeat extends Deadline {
  protected readonly target: HeartbeatTarget;
  protected readonly owner: HeartbeatOwner;

  constructor(target: HeartbeatTarget, owner: HeartbeatOwner) {
    super();
    this.target = target;
    this.owner = owner;
  }

  abstract start(): void;
  abstract onPing(): void;
  abstract onPong(): void;
  /** Any other packet: the client is alive. */
  abstract onActivity(): void;
  /** The upgrade that was under way has ended. */
  abstract resume(): void;

  stop(): void {
    this.owner.clock.cancel(this);
  }
}

/** Where a heartbeat of v4 is. */
type Phase =
  /** the next ping is not due yet */
  | "resting"
  /** a pong is waited for */
  | "waiting"
  /** the same, for longer: a silent client gets more time once per ping when it sends something else */
  | "extended";

/** v4: the server sends a ping every `interval` ms after the last pong and expects the next within `timeout` ms. */
export class ServerHeartbeat extends Heartbeat {
  #phase: Phase = "resting";
  /** It has expired during an upgrade. */
  #held = false;

  start(): void {
    this.#phase = "resting";
    this.#held = false;
    this.owner.clock.schedule(this, this.owner.opts.pingInterval);
  }

  onPing(): void {
    this.target.onWrongDirection();
  }

  onPong(): void {
    this.start();
    this.target.onHeartbeat();
  }

  onActivity(): void {
    if (this.#phase !== "waiting" || this.#held) return;
    this.#phase = "extended";
    this.awaitPong();
  }

  onExpired(): void {
    if (this.target.upgrading) this.#held = true;
    else if (this.#phase === "resting") this.ping();
    else if (this.target.isBehind) this.awaitPong();
    else this.target.onPingTimeout();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#phase === "resting") this.ping();
    else this.awaitPong();
  }

  private ping(): void {
    this.#phase = "waiting";
    this.awaitPong();
    this.target.sendPing();
  }

  private awaitPong(): void {
    this.owner.clock.schedule(this, this.owner.opts.pingTimeout);
  }
}

/** v3: the client pings; a client that is silent for longer than interval and timeout is gone. */
export class ClientHeartbeat extends Heartbeat {
  start(): void {
    const { clock, opts } = this.owner;
    clock.schedule(this, Number(opts.pingInterval) + Number(opts.pingTimeout));
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

  onExpired(): void {
    if (this.target.upgrading || this.target.isBehind) this.start();
    else this.target.onPingTimeout();
  }

  resume(): void {}
}
