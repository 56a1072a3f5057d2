import { AsyncResource } from "node:async_hooks";
import type { HttpExchange, RequestSource, UpgradeExchange } from "../host/host.ts";
import type { Clock } from "../loop/clock.ts";
import type { EventLoop } from "../loop/event-loop.ts";
import { Timeout } from "../loop/timeout.ts";
import type { Claim, RemoteSession } from "./cluster.ts";

/** What a held session needs. */
export interface HeldSessionOwner {
  readonly clock: Clock;
  /** How long a session is held at most, in ms. */
  readonly bindTimeout: number;
  readonly loop: EventLoop;
  /** Forgets it. */
  forget(held: HeldSession): void;
  /** Opens its session. */
  open(held: HeldSession): void;
  /** Decides on a request as if it had come now. */
  onRequest(exchange: HttpExchange): void;
  onUpgrade(exchange: UpgradeExchange): void;
  /** Has the middlewares run for a request that is neither a poll nor a post, and routes it. */
  admit(exchange: HttpExchange): void;
  refuseUnknown(exchange: HttpExchange): void;
  /** Answers a poll with a close packet. */
  closePoll(held: HeldSession, exchange: HttpExchange): void;
}

/** A poll or post that waits for its session, in the async context in which it came. */
interface Waiting {
  readonly exchange: HttpExchange;
  readonly context: AsyncResource;
}

const NONE: Waiting[] = [];

/**
 * A WebSocket follows a poll after one round trip, or two over TLS, and never more than twice the time that the client took to
 * send it.
 */
const ROUND_TRIPS = 2.5;

/** What servers and clients need to think, in ms. */
const LEEWAY = 40;

/** Deadlines are multiples of this, in ms: the clock has one queue per duration. */
const STEP = 20;

/**
 * A session whose client has received its handshake, but which no node's application knows yet. It is bound where its WebSocket shows
 * up: this costs the client a round trip, and spares it a second node between itself and its session for the rest of its life.
 * Otherwise it is bound here, when the WebSocket would have shown up or when the client sends more than a client sends before.
 */
export class HeldSession implements RemoteSession {
  readonly id: string;
  readonly source: RequestSource;
  readonly #owner: HeldSessionOwner;
  readonly #deadline: Timeout = new Timeout(() => this.#bind());
  /** When the handshake was answered; undefined once the round trip is known. */
  #answeredAt: number | undefined;
  #isOver = false;
  #waiting: Waiting[] = NONE;
  /** Set while another node has a claim. */
  #onRevoked: (() => void) | undefined = undefined;

  constructor(id: string, source: RequestSource, owner: HeldSessionOwner) {
    this.id = id;
    this.source = source;
    this.#owner = owner;
    this.#answeredAt = owner.loop.now();
    owner.clock.schedule(this.#deadline, owner.bindTimeout);
  }

  /** Its requests are few, and who will serve them is not known. */
  get needsWholeHead(): boolean {
    return true;
  }

  onRequest(exchange: HttpExchange): void {
    const { method } = exchange.request.head;
    if (method !== "GET" && method !== "POST") {
      this.#owner.admit(exchange);
    } else if (this.#waiting.some((other) => other.exchange.request.head.method === method)) {
      this.bind();
      this.#owner.onRequest(exchange);
    } else {
      this.#keep(exchange);
      this.#measure();
    }
  }

  #keep(exchange: HttpExchange): void {
    if (this.#waiting === NONE) this.#waiting = [];
    this.#waiting.push({ exchange, context: new AsyncResource("TIDEWIRE") });
    exchange.onAbort = () => this.#leave(exchange);
  }

  #measure(): void {
    if (this.#answeredAt === undefined) return;
    const { clock, bindTimeout, loop } = this.#owner;
    const limit = ROUND_TRIPS * (loop.now() - this.#answeredAt) + LEEWAY;
    this.#answeredAt = undefined;
    clock.schedule(this.#deadline, Math.min(bindTimeout, Math.ceil(limit / STEP) * STEP));
  }

  onUpgrade(exchange: UpgradeExchange): void {
    this.bind();
    this.#owner.onUpgrade(exchange);
  }

  claim(_sid: string, done: () => void): void {
    this.bind();
    done();
  }

  /**
   * Another node asks for the session.
   *
   * @returns undefined if there is a claim already
   */
  claimBy(onRevoked: () => void): Claim | undefined {
    if (this.#onRevoked !== undefined) return undefined;
    const { clock, bindTimeout } = this.#owner;
    this.#onRevoked = onRevoked;
    this.#answeredAt = undefined;
    clock.schedule(this.#deadline, bindTimeout);
    return {
      handshake: this.source.head,
      complete: (successor) => this.#handOver(successor),
      giveUp: () => {
        this.#onRevoked = undefined;
        this.bind();
      },
    };
  }

  #handOver(successor: RemoteSession): void {
    this.#onRevoked = undefined;
    for (const { exchange, context } of this.#end()) {
      context.runInAsyncScope(() => successor.onRequest(exchange));
    }
  }

  /** Binds it here, in the async context of its handshake. */
  bind(): void {
    this.#deadline.onExpired();
  }

  #bind(): void {
    if (this.#isOver) return;
    const waiting = this.#end();
    this.#owner.open(this);
    for (const { exchange, context } of waiting) {
      context.runInAsyncScope(() => this.#owner.onRequest(exchange));
    }
  }

  /** The client has broken a request off: it is not interested any more. */
  #leave(aborted: HttpExchange): void {
    if (this.#isOver) return;
    for (const { exchange } of this.#end()) {
      if (exchange !== aborted) this.#owner.refuseUnknown(exchange);
    }
  }

  /** The engine closes its sessions. */
  close(): void {
    if (this.#isOver) return;
    for (const { exchange } of this.#end()) {
      if (exchange.request.head.method === "GET") this.#owner.closePoll(this, exchange);
      else this.#owner.refuseUnknown(exchange);
    }
  }

  /** Returns what waits. */
  #end(): Waiting[] {
    const waiting = this.#waiting;
    this.#isOver = true;
    this.#waiting = NONE;
    for (const { exchange } of waiting) exchange.onAbort = undefined;
    this.#owner.clock.cancel(this.#deadline);
    this.#owner.forget(this);
    const onRevoked = this.#onRevoked;
    this.#onRevoked = undefined;
    onRevoked?.();
    return waiting;
  }
}
