import { FastProducerError, SlowConsumerError } from "@tidewire/engine";
import type { Engine, Session } from "@tidewire/engine";
import type { FuzzClient } from "./client.ts";
import { Deliberate, numbered, numberOf } from "./world.ts";
import type { World } from "./world.ts";

/** What the application knows about one session. */
export class Served {
  readonly session: Session;
  readonly client: FuzzClient;
  /** Number of the next message to the client, and of the next from it. */
  sent = 0;
  received = 0;
  readonly seen: Set<number> = new Set();
  /** How often each path reported the end. */
  closeEvents = 0;
  closeCalls = 0;
  reason: string | undefined = undefined;
  /** Set when `close()` was called: nothing is heard any more once a session is closing. */
  heardBeforeClose: number | undefined = undefined;
  callbacks = 0;
  /** Ended because the client did not read fast enough. */
  slow = false;

  constructor(session: Session, client: FuzzClient) {
    this.session = session;
    this.client = client;
  }

  get open(): boolean {
    return this.reason === undefined;
  }
}

/** The user of the engine: listens, answers, closes, and sometimes throws. Checks every event. */
export class Application {
  readonly served: Served[] = [];
  /** No surprises any more. */
  calm = false;
  readonly #world: World;
  readonly #engine: Engine;
  readonly #clients: readonly FuzzClient[];
  /** Of whom nothing is expected. */
  readonly #stranger: FuzzClient;
  readonly #throws: number;
  readonly #closes: number;
  /** Most time it takes over a message, in ms. */
  readonly #busy: number;
  readonly #heldHooks: (() => void)[] = [];

  constructor(world: World, engine: Engine, clients: readonly FuzzClient[], stranger: FuzzClient) {
    this.#world = world;
    this.#engine = engine;
    this.#clients = clients;
    this.#stranger = stranger;
    const { random } = world;
    this.#throws = random.chance(0.4) ? 0.05 : 0;
    this.#closes = random.chance(0.4) ? 0.03 : 0;
    this.#busy = random.chance(0.3) ? 10 : 0;
    engine.on("connection", (session: Session) => this.#onConnection(session));
    if (random.chance(0.3)) engine.on("flush", () => this.#react());
    if (random.chance(0.3)) engine.on("drain", () => this.#react());
    if (random.chance(0.3)) engine.on("connection_error", () => this.#throwSometimes());
  }

  get open(): Served[] {
    return this.served.filter((served) => served.open);
  }

  /** Hooks that wait for the application to decide. */
  get waiting(): number {
    return this.#heldHooks.length;
  }

  /** Calls back now or later. */
  hook(decide: () => void): void {
    if (this.calm || this.#world.random.chance(0.5)) decide();
    else this.#heldHooks.push(decide);
  }

  /** Decides on one that waits. */
  decide(): void {
    const [hook] = this.#heldHooks.splice(this.#world.random.below(this.#heldHooks.length), 1);
    if (hook) this.#world.call(hook);
    // A request that was held may have carried signs of life.
    for (const client of this.#clients) client.touch();
  }

  act(): void {
    const { random } = this.#world;
    if (random.chance(this.#closes / 5)) {
      this.#world.trace.push("engine.close()");
      this.closeAll();
      return;
    }
    const { open } = this;
    if (open.length === 0) return;
    const served = random.pick(open);
    if (random.chance(this.#closes)) this.close(served, random.chance(0.4));
    else this.send(served, random.chance(0.1) ? random.between(10, 40) : random.between(1, 4));
  }

  send(served: Served, count: number): void {
    const { session, client } = served;
    this.#world.trace.push(`application sends ${count} to ${client.name}`);
    for (let left = count; left > 0; left--) {
      if (session.readyState !== "open") return;
      const message = numbered(this.#world.random, "s", served.sent, 200_000);
      served.sent++;
      const order = served.sent;
      if (this.#world.random.chance(0.1)) {
        this.#world.call(() =>
          session.send(message, { compress: false }, () => {
            this.#world.expect(order > served.callbacks, "callbacks out of order, or called twice");
            served.callbacks = order;
          }),
        );
      } else {
        this.#world.call(() => session.send(message));
      }
    }
  }

  close(served: Served, discard: boolean): void {
    this.#world.trace.push(`application closes ${served.client.name}${discard ? " at once" : ""}`);
    served.heardBeforeClose ??= served.client.heard;
    this.#world.call(() => served.session.close(discard));
    if (discard) this.#world.expect(!served.open, "close(true) has left the session open");
  }

  closeAll(): void {
    for (const served of this.open) {
      served.heardBeforeClose ??= served.client.heard;
    }
    this.#world.call(() => this.#engine.close());
  }

  #onConnection(session: Session): void {
    const { random, trace } = this.#world;
    const client = this.#clients[Number(session.request?._query?.["client"])] ?? this.#stranger;
    const served = new Served(session, client);
    this.served.push(served);
    client.served = served;
    trace.push(`${client.name} is session ${session.id}`);
    if (random.chance(0.5)) {
      session.handlers = {
        onMessage: (data) => this.#onMessage(served, data),
        onClose: (reason) => {
          served.closeCalls++;
          served.reason = reason;
          this.#throwSometimes();
        },
      };
    } else {
      served.closeCalls = 1;
      session.on(random.pick(["message", "data"]), (data: string | Buffer) => this.#onMessage(served, data));
    }
    session.on("close", (reason: string, detail?: unknown) => this.#onClose(served, reason, detail));
    for (const event of ["upgrading", "upgrade", "flush", "drain", "heartbeat", "packet"]) {
      if (random.chance(0.1)) session.on(event, () => this.#react(served));
    }
    this.#react(served);
  }

  #onMessage(served: Served, data: string | Buffer = ""): void {
    this.#world.expect(served.open, "a message after the end");
    const number = numberOf(served.client.name, data);
    if (number !== undefined) {
      const expected = served.client.orderly ? number === served.received : !served.seen.has(number);
      this.#world.expect(expected, `${served.client.name}: message ${number} instead of ${served.received}`);
      served.seen.add(number);
      served.received = Math.max(served.received, number + 1);
    } else if (served.client.orderly) {
      this.#world.failures.push(`the server read what was never sent: ${data.toString().slice(0, 50)}`);
    }
    if (this.#busy > 0) this.#world.loop.spend(this.#world.random.below(this.#busy));
    this.#react(served);
  }

  #onClose(served: Served, reason: string, detail: unknown): void {
    this.#world.trace.push(
      `${served.client.name} ended: ${reason} ${detail instanceof Error ? detail.message : ""}`,
    );
    served.closeEvents++;
    served.reason = reason;
    this.#world.expect(served.session.readyState === "closed", "not closed while it says so");
    this.#checkReason(served, reason, detail);
    if (this.#world.random.chance(0.2)) served.session.send("too late");
    this.#throwSometimes();
  }

  #checkReason(served: Served, reason: string, detail: unknown): void {
    const { client } = served;
    const { isDistant } = this.#world;
    const { pingInterval, pingTimeout, maxBackpressure, maxReceiveBacklog } = this.#world.limits;
    const silent = this.#world.loop.now() - (served.heardBeforeClose ?? client.heard);
    const isSlow = maxBackpressure > 0 && detail instanceof SlowConsumerError;
    const isFast = maxReceiveBacklog > 0 && detail instanceof FastProducerError;
    served.slow = isSlow || isFast;
    const allowed: Record<string, boolean> = {
      "transport close": client.left,
      "transport error": client.broken || isSlow || isFast,
      "parse error": !client.orderly,
      "ping timeout":
        this.#world.isSlow || (isDistant && !client.orderly) || silent >= pingInterval + pingTimeout - 41,
      "forced close": served.heardBeforeClose !== undefined,
    };
    this.#world.expect(
      allowed[reason] === true,
      `${client.name} ended without cause: ${reason} ${String(detail)}`,
    );
  }

  /** What a listener may do. */
  #react(served?: Served): void {
    if (this.calm) return;
    const { random } = this.#world;
    if (served && random.chance(0.1)) this.send(served, random.between(1, 3));
    if (served && random.chance(this.#closes)) this.close(served, random.chance(0.4));
    if (random.chance(this.#closes / 20)) this.closeAll();
    this.#throwSometimes();
  }

  #throwSometimes(): void {
    if (!this.calm && this.#world.random.chance(this.#throws)) {
      this.#world.trace.push("the application throws");
      throw new Deliberate();
    }
  }
}
