import { SlowConsumerError } from "../errors.ts";
import type { Clock } from "../loop/clock.ts";
import { Timeout } from "../loop/timeout.ts";
import { PROBE_PONG } from "../protocol/packet.ts";
import type { Transport, TransportHandlers } from "../transport/transport.ts";
import { PACKET_OVERHEAD } from "./backlog.ts";

/** What an upgrade reports to its session. */
export interface UpgradeHandlers {
  /** The client has proved that the new transport works. */
  onProbed(): void;
  /** The client waits for its last poll to return. Called again and again: it may have started another one meanwhile. */
  onPollDue(): void;
  onUpgraded(): void;
  /** The session stays on the transport it has. */
  onAborted(): void;
  /** Follows `onAborted`, unless the session itself gave the upgrade up. */
  onFailed(reason: UpgradeFailure, error?: Error): void;
}

/** The options of the engine that limit an upgrade. */
export interface UpgradeLimits {
  /** In ms. */
  readonly upgradeTimeout: number;
  /** In bytes, 0 for no limit. */
  readonly maxBackpressure: number;
}

/** Why an upgrade failed. */
export type UpgradeFailure =
  | "invalid packet"
  | "parse error"
  | "transport error"
  | "transport close"
  | "upgrade timeout";

/** How often a poll that was parked after the probe is released, in ms. */
const RELEASE_INTERVAL = 100;

/**
 * The change from one transport to another: the client sends `2probe` on the new one, reads `3probe`, waits until its last
 * poll has returned, and sends `5`. If it sends anything else, or takes too long, the session stays on its transport.
 */
export class Upgrade {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #handlers: UpgradeHandlers;
  readonly #timeout: Timeout = new Timeout(() => this.#fail("upgrade timeout"));
  readonly #release: Timeout = new Timeout(() => {
    this.#clock.schedule(this.#release, RELEASE_INTERVAL);
    this.#handlers.onPollDue();
  });
  /** Bytes of answers that wait for a client that does not read. */
  #held = 0;

  static readonly #transportHandlers: TransportHandlers<Upgrade> = {
    onPacket(upgrade, packet) {
      if (packet.type === "ping" && packet.data === "probe") {
        upgrade.#onProbe();
      } else if (packet.type === "upgrade") {
        upgrade.#stop();
        upgrade.#handlers.onUpgraded();
      } else {
        upgrade.#fail("invalid packet");
      }
    },
    onReadEnd() {},
    onStalled() {},
    onDrainListener() {},
    onAnswerHeld(upgrade, bytes) {
      upgrade.#hold(bytes);
    },
    onWritable(upgrade) {
      upgrade.#held = 0;
    },
    onParseError(upgrade, error) {
      upgrade.#fail("parse error", error);
    },
    onError(upgrade, error) {
      upgrade.#fail("transport error", error);
    },
    onClose(upgrade, error) {
      upgrade.#fail("transport close", error);
    },
  };

  constructor(transport: Transport, clock: Clock, limits: UpgradeLimits, handlers: UpgradeHandlers) {
    this.#transport = transport;
    this.#clock = clock;
    this.#limit = limits.maxBackpressure;
    this.#handlers = handlers;
    transport.attach(this, Upgrade.#transportHandlers);
    clock.schedule(this.#timeout, limits.upgradeTimeout);
  }

  #onProbe(): void {
    const transport = this.#transport;
    if (transport.bufferedAmount > 0) {
      this.#hold(PROBE_PONG.byteLength);
      if (transport.readyState !== "open") return;
    }
    transport.send([PROBE_PONG]);
    // After the pong has left: the answer to the poll belongs to another socket.
    this.#clock.schedule(this.#release, 0);
    // Last: a listener may end the session, and with it the upgrade.
    this.#handlers.onProbed();
  }

  #hold(bytes: number): void {
    this.#held += bytes + PACKET_OVERHEAD;
    if (this.#limit === 0 || this.#held <= this.#limit) return;
    const total = Math.max(this.#held, this.#transport.bufferedAmount);
    this.#fail("transport error", new SlowConsumerError(total, this.#limit));
  }

  #fail(reason: UpgradeFailure, error?: Error): void {
    this.abort();
    this.#handlers.onFailed(reason, error);
  }

  /** Closes the new transport. */
  abort(): void {
    this.#stop();
    this.#transport.detach();
    this.#handlers.onAborted();
    this.#transport.close();
  }

  #stop(): void {
    this.#clock.cancel(this.#timeout);
    this.#clock.cancel(this.#release);
  }
}
