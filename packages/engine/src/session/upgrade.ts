import type { EnginePacket, ParseError } from "@tidewire/parser";
import type { Clock } from "../loop/clock.ts";
import { Timeout } from "../loop/timeout.ts";
import type { TransportError } from "../errors.ts";
import { SlowConsumerError } from "../errors.ts";
import { PROBE_PONG } from "../protocol/packet.ts";
import { PACKET_OVERHEAD } from "./backlog.ts";
import type { Transport, TransportHandlers } from "../transport/transport.ts";

/** What an upgrade does to its session. */
export interface UpgradingSession {
  /** The client has proved that the new transport works; its last poll must return for it to go on. */
  onProbed(transport: Transport): void;
  releasePoll(): void;
  onUpgraded(transport: Transport): void;
  onUpgradeAborted(): void;
}

/** The options of the engine that bound it. */
export interface UpgradeLimits {
  /** In ms. */
  readonly upgradeTimeout: number;
  /** In bytes, 0 for no limit. */
  readonly maxBackpressure: number;
}

/** Why an upgrade was given up. */
export type UpgradeFailure =
  | "invalid packet"
  | "parse error"
  | "transport error"
  | "transport close"
  | "upgrade timeout";

/** How often a poll that was parked after the probe is let go, in ms. */
const RELEASE_INTERVAL = 100;

/**
 * The change from one transport to another: the client sends `2probe` on the new one, reads `3probe`, waits until its last
 * poll has returned, and sends `5`. Anything else, or too little time, and the session goes on over the transport it has.
 */
export class Upgrade implements TransportHandlers {
  readonly #session: UpgradingSession;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #onFailure: (reason: UpgradeFailure, error?: Error) => void;
  readonly #limit: number;
  readonly #timeout: Timeout = new Timeout(() => this.#fail("upgrade timeout"));
  /** Lets parked polls return, again and again: between `3probe` and `5` the client may have started another. */
  readonly #release: Timeout = new Timeout(() => {
    this.#clock.schedule(this.#release, RELEASE_INTERVAL);
    this.#session.releasePoll();
  });
  /** Bytes of answers that wait for a client that does not read. */
  #held = 0;

  constructor(
    session: UpgradingSession,
    transport: Transport,
    clock: Clock,
    limits: UpgradeLimits,
    onFailure: (reason: UpgradeFailure, error?: Error) => void,
  ) {
    this.#onFailure = onFailure;
    this.#session = session;
    this.#transport = transport;
    this.#clock = clock;
    this.#limit = limits.maxBackpressure;
    transport.handlers = this;
    clock.schedule(this.#timeout, limits.upgradeTimeout);
  }

  onPacket(packet: EnginePacket): void {
    if (packet.type === "ping" && packet.data === "probe") {
      this.#onProbe();
    } else if (packet.type === "upgrade") {
      this.#stop();
      this.#session.onUpgraded(this.#transport);
    } else {
      this.#fail("invalid packet");
    }
  }

  #onProbe(): void {
    const transport = this.#transport;
    if (transport.bufferedAmount > 0) {
      this.onAnswerHeld(PROBE_PONG.byteLength);
      if (transport.readyState !== "open") return;
    }
    transport.send([PROBE_PONG]);
    // After the pong has left: the poll's answer is another socket's.
    this.#clock.schedule(this.#release, 0);
    // Last: a listener may end the session, and this with it.
    this.#session.onProbed(transport);
  }

  onAnswerHeld(bytes: number): void {
    this.#held += bytes + PACKET_OVERHEAD;
    if (this.#limit === 0 || this.#held <= this.#limit) return;
    const total = Math.max(this.#held, this.#transport.bufferedAmount);
    this.#fail("transport error", new SlowConsumerError(total, this.#limit));
  }

  onReadEnd(): void {}

  onWritable(): void {
    this.#held = 0;
  }

  onParseError(error: ParseError): void {
    this.#fail("parse error", error);
  }

  onError(error: TransportError): void {
    this.#fail("transport error", error);
  }

  onClose(error?: TransportError): void {
    this.#fail("transport close", error);
  }

  #fail(reason: UpgradeFailure, error?: Error): void {
    this.abort();
    this.#onFailure(reason, error);
  }

  /** Gives the new transport up. */
  abort(): void {
    this.#stop();
    this.#transport.handlers = undefined;
    this.#session.onUpgradeAborted();
    this.#transport.close();
  }

  #stop(): void {
    this.#clock.cancel(this.#timeout);
    this.#clock.cancel(this.#release);
  }
}
