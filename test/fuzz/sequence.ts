import { Engine } from "@tidewire/engine";
import type { Middleware, ServerOptions } from "@tidewire/engine";
import { Application } from "./application.ts";
import type { Served } from "./application.ts";
import { FuzzClient } from "./client.ts";
import { Random } from "./random.ts";
import { WildClient } from "./wild-client.ts";
import { Deliberate, WELCOME, World, settled } from "./world.ts";
import type { Limits } from "./world.ts";

/** Longer than anything the engine waits for, in ms. */
const LONG = 200_000;

/**
 * One random life of an engine with its clients and its application. Each step is followed by the checks of what must always
 * hold; at the end everybody is given time to finish, and everything must have arrived and have gone.
 *
 * @param watch - told of the objects that must not outlive the sequence
 * @throws with the steps that led there
 */
export async function runSequence(seed: number, watch: (thing: object) => void = () => {}): Promise<void> {
  const sequence = new Sequence(seed);
  try {
    await sequence.run(watch);
  } catch (error) {
    const steps = sequence.world.trace.join("\n  ");
    throw new Error(`FUZZ_SEED=${seed} FUZZ_SEQUENCES=1 fails\n  ${steps}\n${(error as Error).message}`, {
      cause: error,
    });
  }
}

class Sequence {
  readonly world: World;
  readonly #random: Random;
  readonly #engine: Engine;
  readonly #application: Application;
  readonly #clients: FuzzClient[];

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    const limits = randomLimits(random);
    const world = new World(random, limits);
    this.world = world;
    const allowRequest: ServerOptions["allowRequest"] = random.chance(0.3)
      ? (_request, callback) => {
          const admitted = random.chance(0.9);
          this.#application.hook(() => callback(admitted ? null : "no", admitted));
        }
      : undefined;
    const engine = new Engine(
      {
        ...limits,
        allowEIO3: true,
        ...(allowRequest && { allowRequest }),
        ...(random.chance(0.1) && { initialPacket: WELCOME }),
        ...(random.chance(0.1) && { cookie: true }),
        ...(random.chance(0.1) && { cors: { origin: "*" } }),
      },
      world.loop,
    );
    this.#engine = engine;
    engine.generateId = this.#ids();
    if (random.chance(0.3)) engine.use(this.#middleware());
    if (random.chance(0.1)) engine.use((_req, _res, next) => (next(), next()));
    engine.attachHost(world.host);
    const number = random.between(1, 3);
    this.#clients = Array.from({ length: number }, (_, index) => {
      const Client = random.chance(0.4) ? WildClient : FuzzClient;
      return new Client(world, index, random.chance(0.3) ? 3 : 4);
    });
    this.#application = new Application(world, engine, this.#clients, stranger(world));
  }

  async run(watch: (thing: object) => void): Promise<void> {
    watch(this.#engine);
    for (let left = this.#random.between(10, 80); left > 0; left--) await this.#step();
    await this.#finish();
    for (const { session } of this.#application.served) {
      watch(session);
      watch(session.transport);
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const { world } = this;
    const client = random.pick(this.#clients);
    const kind = random.weighted([
      [10, "client"],
      [4, "application"],
      [2, "hook"],
      [4, "tick"],
      [2, "time"],
    ]);
    if (kind === "client") {
      const weights = client.actions().map((action) => [action[0], action] as const);
      const action = random.weighted(weights);
      world.trace.push(`${client.name} ${action?.[1] ?? "waits"}`);
      action?.[2]();
    } else if (kind === "application") {
      this.#application.act();
    } else if (kind === "hook") {
      this.#application.decide();
    } else if (kind === "tick") {
      world.trace.push("tick");
      world.loop.tick();
    } else {
      this.#pass(this.#someTime());
    }
    await this.#check();
  }

  #someTime(): number {
    const random = this.#random;
    const { pingInterval, pingTimeout } = this.world.limits;
    return random.weighted([
      [10, random.between(1, 200)],
      [3, random.below(pingInterval)],
      [1, pingInterval],
      [0.5, pingTimeout + 50],
      [0.3, pingInterval + pingTimeout + 50],
      [0.2, random.below(100_000)],
    ])!;
  }

  #pass(ms: number): void {
    this.world.trace.push(`${ms} ms pass`);
    this.world.loop.advance(ms);
  }

  /** What must hold at any time. */
  async #check(): Promise<void> {
    const { world } = this;
    await settled();
    for (const error of world.loop.uncaught.splice(0)) world.caught(error);
    const open = this.#application.open;
    const counts = [open.length, Object.keys(this.#engine.clients).length, this.#engine.clientsCount];
    world.expect(
      new Set(counts).size === 1,
      `sessions known to the application, listed, counted: ${counts.join()}`,
    );
    for (const { session, closeEvents, closeCalls, client } of this.#application.served) {
      const ended = session.readyState === "closed";
      const told = ended ? closeEvents === 1 && closeCalls === 1 : closeEvents === 0;
      world.expect(
        told,
        `${client.name} is ${session.readyState}, told ${closeEvents} and ${closeCalls} times`,
      );
      if (!ended && client.name !== "c-1") this.#checkPatience(client, session.readyState);
    }
    for (const socket of world.sockets) world.expect(socket.lateFrames === 0, "a frame after the end");
    if (world.failures.length > 0) throw new Error(world.failures.join("\n"));
  }

  /** A client that says nothing is found out. */
  #checkPatience(client: FuzzClient, state: string): void {
    const { pingInterval, pingTimeout, upgradeTimeout } = this.world.limits;
    const patience =
      pingInterval + 2 * pingTimeout + upgradeTimeout + (state === "closing" ? 30_000 : 0) + 100;
    const silent = this.world.loop.now() - this.world.loop.spent - client.active;
    this.world.expect(silent <= patience, `${client.name} has been silent for ${silent} ms`);
  }

  /** Everybody does what is left to do. */
  async #settle(): Promise<void> {
    for (let round = 0; round < 200; round++) {
      while (this.#application.waiting > 0) this.#application.decide();
      for (const client of this.#clients) client.respond();
      this.world.loop.tick();
      await this.#check();
      if (this.#clients.every((client) => client.quiet || !client.orderly)) return;
      this.world.loop.advance(2);
    }
  }

  async #finish(): Promise<void> {
    const { world } = this;
    const application = this.#application;
    world.trace.push("everybody finishes");
    application.calm = true;
    await this.#settle();
    this.#checkArrived();
    if (this.#random.chance(0.3)) await this.#beat();
    if (this.#random.chance(0.3)) this.#fallSilent();
    else await this.#leave();
    application.closeAll();
    for (const socket of world.sockets) world.call(() => socket.resume());
    // What still waited for its turn, and then the end of its connection.
    this.#pass(0);
    await this.#check();
    world.expect(this.#engine.clientsCount === 0, "sessions are left after close()");
    world.expect(this.#engine.clock.timers === 0, "deadlines are left");
    this.#pass(LONG);
    world.expect(world.loop.timers === 0, "timers are left");
    const unanswered = [...world.unanswered].join(", ");
    world.expect(unanswered === "", `requests without an answer: ${unanswered}`);
    await this.#check();
  }

  /** The network breaks without a sign. */
  #fallSilent(): void {
    const { pingInterval, pingTimeout, upgradeTimeout } = this.world.limits;
    this.world.trace.push("everybody falls silent");
    this.#pass(pingInterval + 2 * pingTimeout + upgradeTimeout + 30_100);
    const { open } = this.#application;
    this.world.expect(open.length === 0, `${open.length} sessions have not been found dead`);
  }

  /** Some are closed, some go. */
  async #leave(): Promise<void> {
    this.world.trace.push("everybody leaves");
    const closed = this.#random.chance(0.7) ? this.#orderlyOnes() : [];
    for (const served of this.#application.open) {
      if (this.#random.chance(0.3)) served.client.pause();
      this.#application.send(served, 2);
      this.world.loop.tick();
      this.#application.send(served, 2);
      if (closed.includes(served)) this.#application.close(served, false);
      else if (this.#random.chance(0.5)) served.client.leave();
    }
    await this.#settle();
    this.#checkClosed(closed);
  }

  /** Hours with only heartbeats. */
  async #beat(): Promise<void> {
    const { pingInterval } = this.world.limits;
    const open = this.#orderlyOnes();
    this.world.trace.push("only heartbeats");
    for (let round = 0; round < 6; round++) {
      await this.#settle();
      this.world.loop.advance(pingInterval / 2);
      await this.#settle();
    }
    for (const served of open) {
      this.world.expect(served.open, `${served.client.name} has ended: ${served.reason}`);
    }
    await this.#check();
  }

  #orderlyOnes(): Served[] {
    return this.#application.open.filter(
      ({ client, session }) => client.orderly && client.state === "open" && session.readyState === "open",
    );
  }

  #checkArrived(): void {
    for (const { client, sent, received } of this.#orderlyOnes()) {
      this.world.expect(
        client.received === sent,
        `${client.name} has read ${client.received} of ${sent} messages`,
      );
      this.world.expect(
        received === client.sent,
        `${received} of ${client.sent} messages came from ${client.name}`,
      );
      this.world.expect(client.upgrade === "none", `the upgrade of ${client.name} has not ended`);
    }
  }

  /** An orderly close delivers what was sent before it. */
  #checkClosed(closed: Served[]): void {
    for (const { client, sent, reason, slow } of closed) {
      if (slow) continue;
      this.world.expect(reason === "forced close", `${client.name} has ended: ${reason}`);
      this.world.expect(
        client.received === sent,
        `${client.name} has read ${client.received} of ${sent} at its end`,
      );
    }
  }

  #ids(): Engine["generateId"] {
    const random = this.#random;
    const strange = random.chance(0.2);
    let count = 0;
    return () => {
      const id = `session-${count++}`;
      if (!strange || random.chance(0.4)) return id;
      if (random.chance(0.1)) throw new Deliberate();
      if (random.chance(0.1)) return Promise.reject(new Deliberate());
      return new Promise((resolve) => this.#application.hook(() => resolve(id)));
    };
  }

  #middleware(): Middleware {
    const random = this.#random;
    return (_request, response, next) => {
      const odd = !this.#application.calm && random.chance(0.1);
      if (!odd) return this.#application.hook(next);
      switch (random.below(4)) {
        case 0:
          throw new Deliberate();
        case 1:
          return Promise.reject(new Deliberate());
        case 2:
          return next(new Deliberate());
        default:
          response.statusCode = 418;
          response.end("tea");
      }
    };
  }
}

/** A client that opens a session and never returns. */
function stranger(world: World): FuzzClient {
  const client = new FuzzClient(world, -1, 4);
  client.orderly = false;
  client.left = client.broken = true;
  client.state = "closed";
  return client;
}

function randomLimits(random: Random): Limits {
  const short = random.chance(0.3);
  return {
    pingInterval: short ? 300 : 25_000,
    pingTimeout: short ? 200 : 20_000,
    upgradeTimeout: random.pick([100, 10_000]),
    maxHttpBufferSize: random.pick([2000, 1e6]),
    maxBackpressure: random.pick([0, 5000, 16 * 1024 * 1024]),
    maxReceiveBacklog: random.pick([0, 5000, 16 * 1024 * 1024]),
    transports: random.pick([["polling", "websocket"], ["polling", "websocket"], ["polling"], ["websocket"]]),
  };
}
