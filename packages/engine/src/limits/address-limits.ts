import type { RequestSource } from "../host/host.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { addressReader, clientPart } from "./client-address.ts";
import type { AddressReader } from "./client-address.ts";
import type { LimitRefusal } from "./monitor.ts";
import type { ConnectionLimits, HandshakeLimiter } from "./options.ts";
import { TokenBuckets } from "./token-bucket.ts";

/** The limits on handshakes, with what the client is told. */
export const connectionLimitErrors = {
  TOO_MANY_CONNECTIONS: "Too many connections from this address",
  TOO_MANY_HANDSHAKES: "Too many handshakes",
} as const;

/** Why a handshake is refused. */
export interface AddressRefusal extends LimitRefusal {
  readonly code: keyof typeof connectionLimitErrors;
  readonly address: string;
}

/** Counts sessions and handshakes by the address of the client. */
export class AddressLimits {
  readonly #addressOf: AddressReader;
  readonly #loop: EventLoop;
  readonly #maxConnections: number;
  readonly #maxHandshakes: number;
  readonly #isShared: boolean;
  readonly #buckets: TokenBuckets;
  readonly #limiter: HandshakeLimiter | undefined;
  #hasWarned = false;
  /** the addresses of open sessions, by session id */
  readonly #addresses: Map<string, string> = new Map();
  /** numbers of open sessions, by address */
  readonly #sessions: Map<string, number> = new Map();

  private constructor(limits: ConnectionLimits, loop: EventLoop) {
    const { connectionsPerIp = Infinity, handshakesPerSecond = Infinity, trustProxy = false } = limits;
    const given =
      typeof handshakesPerSecond === "number" ? { rate: handshakesPerSecond } : handshakesPerSecond;
    this.#loop = loop;
    this.#addressOf = addressReader(trustProxy);
    this.#maxConnections = connectionsPerIp;
    this.#maxHandshakes = given.rate;
    this.#isShared = given.per === "server";
    this.#buckets = new TokenBuckets({ rate: given.rate, burst: given.burst ?? Math.max(1, given.rate) });
    this.#limiter = limits.handshakeLimiter;
  }

  /** Returns undefined if there is nothing to count. */
  static of(limits: ConnectionLimits | undefined, loop: EventLoop): AddressLimits | undefined {
    if (limits === undefined) return undefined;
    const { connectionsPerIp, handshakesPerSecond, handshakeLimiter } = limits;
    const isOff = (connectionsPerIp ?? handshakesPerSecond ?? handshakeLimiter) === undefined;
    return isOff ? undefined : new AddressLimits(limits, loop);
  }

  /** Returns why a handshake is refused; undefined if it is let in so far. Called once for each. */
  refusalOf(request: RequestSource): AddressRefusal | undefined {
    const address = this.#addressOf(request.head);
    const key = this.#isShared ? "" : clientPart(address);
    if (this.#maxHandshakes < Infinity && !this.#buckets.take(key, this.#loop.now())) {
      return { code: "TOO_MANY_HANDSHAKES", limit: this.#maxHandshakes, address };
    }
    return this.crowdingOf(request);
  }

  /**
   * Asks the limiter of the application why a handshake is refused; undefined without one. Called once for each handshake that is let in
   * so far.
   */
  askLimiter(request: RequestSource): Promise<AddressRefusal | undefined> | undefined {
    return this.#limiter && this.#consume(this.#limiter, this.#addressOf(request.head));
  }

  async #consume(limiter: HandshakeLimiter, address: string): Promise<AddressRefusal | undefined> {
    try {
      await limiter.consume(clientPart(address));
      return undefined;
    } catch (reason) {
      if (!(reason instanceof Error)) {
        return { code: "TOO_MANY_HANDSHAKES", limit: limiter.points ?? 0, address };
      }
      this.#warn(reason);
      return undefined;
    }
  }

  #warn({ message }: Error): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`limits.handshakeLimiter does not work, so that it refuses nobody: ${message}`, {
      type: "TidewireWarning",
      code: "TIDEWIRE_HANDSHAKE_LIMITER",
    });
  }

  /** Returns why no session may be opened now. Hooks of the application may have taken their time since the first look. */
  crowdingOf(request: RequestSource): AddressRefusal | undefined {
    const address = this.#addressOf(request.head);
    const isFull = (this.#sessions.get(clientPart(address)) ?? 0) >= this.#maxConnections;
    return isFull ? { code: "TOO_MANY_CONNECTIONS", limit: this.#maxConnections, address } : undefined;
  }

  opened(id: string, request: RequestSource): void {
    const address = clientPart(this.#addressOf(request.head));
    this.#addresses.set(id, address);
    this.#sessions.set(address, (this.#sessions.get(address) ?? 0) + 1);
  }

  closed(id: string): void {
    const address = this.#addresses.get(id);
    if (address === undefined) return;
    this.#addresses.delete(id);
    const left = this.#sessions.get(address)! - 1;
    if (left === 0) this.#sessions.delete(address);
    else this.#sessions.set(address, left);
  }
}
