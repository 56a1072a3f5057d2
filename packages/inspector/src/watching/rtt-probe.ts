import type { Session } from "@tidewire/engine";

/** Sends a ping; returns whether it was sent. */
export type Ping = (session: Session) => boolean;

/** Measures how long one client takes to answer a ping, while its row is shown. */
export class RttProbe {
  /** The last sample, in ms. */
  rtt: number | undefined = undefined;
  readonly #session: Session;
  readonly #ping: Ping;
  readonly #sampled: (rtt: number) => void;
  #sentAt: number | undefined = undefined;

  constructor(session: Session, ping: Ping, sampled: (rtt: number) => void = () => {}) {
    this.#session = session;
    this.#ping = ping;
    this.#sampled = sampled;
    session.on("packet", this.#onPacket);
  }

  /** Sends a ping, unless a pong is due. */
  probe(): void {
    if (this.#ping(this.#session)) this.#sentAt = performance.now();
  }

  stop(): void {
    this.#session.off("packet", this.#onPacket);
  }

  readonly #onPacket = ({ type }: { readonly type: string }): void => {
    if (type !== "pong" || this.#sentAt === undefined) return;
    this.rtt = Math.round((performance.now() - this.#sentAt) * 10) / 10;
    this.#sentAt = undefined;
    this.#sampled(this.rtt);
  };
}
