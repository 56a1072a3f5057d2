import { Engine, MemoryHost, MemoryUpgradeError } from "@tidewire/engine";
import type { MemoryCall, MemoryRequest, MemoryWebSocket, ServerOptions, Session } from "@tidewire/engine";
import type { ClusterNode } from "@tidewire/server";
import { FramedLink } from "../../packages/cluster/src/link/framed-link.ts";
import { joinInMemory } from "../../packages/cluster/src/link/memory-link.ts";
import type { MemoryConnection } from "../../packages/cluster/src/link/memory-link.ts";
import { Members } from "../../packages/cluster/src/members.ts";
import { Nodes } from "../../packages/cluster/src/nodes.ts";
import { SessionDirectory } from "../../packages/cluster/src/session-directory.ts";
import { Application } from "./application.ts";
import { FuzzClient } from "./client.ts";
import { Random } from "./random.ts";
import { WildClient } from "./wild-client.ts";
import { World, settled } from "./world.ts";
import type { Action, Limits } from "./world.ts";

/** Longer than anything that the engines and the links wait for, in ms. */
const LONG = 200_000;

/** Longer than a session is held, in ms: twice the limit, one for the client to return and one for its WebSocket. */
const HELD = 1100;

/** How long a link may stand still before its nodes give it up, in ms, with a margin. */
const PATIENCE = 2500;

/**
 * One random life of a cluster of three nodes with its clients and its applications. Requests come to any node. Links are cut, are
 * made again, and stand still for a while. One or two nodes begin to drain: others take their new clients. Some of them retire,
 * too: they close the connections of their clients. Each step is followed by the checks of what must always hold; at the end everybody is
 * given time to finish, and nothing may be left.
 *
 * @throws with the steps that led there
 */
export async function runClusterSequence(
  seed: number,
  watch: (thing: object) => void = () => {},
): Promise<void> {
  const sequence = new ClusterSequence(seed);
  try {
    await sequence.run(watch);
  } catch (error) {
    const steps = sequence.world.trace.join("\n  ");
    const { message } = error as Error;
    throw new Error(`FUZZ_SEED=${seed} FUZZ_SEQUENCES=1 fails\n  ${steps}\n${message}`, { cause: error });
  }
}

/** A load balancer without affinity. */
class Balancer extends MemoryHost {
  readonly nodes: Node[] = [];
  /** Handshakes that no node has taken. */
  refused = 0;
  readonly #random: Random;

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  override request(request: MemoryRequest): MemoryCall {
    const call = this.#random.pick(this.nodes).host.request(request);
    if (isHandshake(request))
      call.response.then(
        ({ status }) => this.#answered(status),
        () => {},
      );
    return call;
  }

  override connect(request: MemoryRequest, signal?: AbortSignal): Promise<MemoryWebSocket> {
    const socket = this.#random.pick(this.nodes).host.connect(request, signal);
    if (isHandshake(request))
      socket.catch((error: unknown) => {
        if (error instanceof MemoryUpgradeError) this.#answered(error.response.status);
      });
    return socket;
  }

  #answered(status: number): void {
    if (status === 503) this.refused++;
  }
}

function isHandshake({ url }: MemoryRequest): boolean {
  return !url.includes("&sid=");
}

class Node {
  readonly host: MemoryHost = new MemoryHost();
  readonly members: Members;
  readonly directory: SessionDirectory;
  readonly engine: Engine;
  readonly application: Application;
  readonly #nodes: Nodes;
  state: ClusterNode["state"] = "up";

  constructor(
    id: string,
    world: World,
    options: ServerOptions,
    clients: readonly FuzzClient[],
    early: boolean,
  ) {
    const { random } = world;
    const allowRequest: ServerOptions["allowRequest"] = random.chance(0.3)
      ? (_request, callback) => {
          const admitted = random.chance(0.9);
          this.application.hook(() => callback(admitted ? null : "no", admitted));
        }
      : undefined;
    this.members = new Members(world.loop, { id });
    this.directory = new SessionDirectory(this.members, { bind: early ? "early" : "late" }, (node) =>
      this.#nodes.stateOf(node),
    );
    this.#nodes = new Nodes(this.members, {
      ownStatus: () => ({ state: this.state, sessions: 0 }),
      onJoin() {},
      onLeave() {},
    });
    this.#nodes.announce();
    this.engine = new Engine({ ...options, ...(allowRequest && { allowRequest }) }, world.loop);
    if (random.chance(0.3)) this.engine.use((_req, _res, next) => this.application.hook(next));
    this.engine.attachHost(this.host).joinCluster(this.directory);
    this.application = new Application(world, this.engine, clients, stranger(world));
  }

  drain(): void {
    this.engine.shutDown();
    this.state = "draining";
    this.#nodes.announce();
    this.directory.drain(true);
  }

  get streams(): number {
    let streams = 0;
    for (const link of this.members.peers.values()) if (link instanceof FramedLink) streams += link.streams;
    return streams;
  }
}

class ClusterSequence {
  readonly world: World;
  readonly #random: Random;
  readonly #balancer: Balancer;
  readonly #nodes: readonly Node[];
  readonly #clients: FuzzClient[];
  readonly #links: {
    pair: readonly [Node, Node];
    connection: MemoryConnection;
    stalledAt: number | undefined;
  }[] = [];
  /** How often each session was given to an application. */
  readonly #bound: Map<string, number> = new Map();
  readonly #mayCut: boolean;
  readonly #mayStall: boolean;
  readonly #mayDrain: boolean;

  constructor(seed: number) {
    const random = new Random(seed);
    const balancer = new Balancer(random);
    const limits = randomLimits(random);
    const world = new World(random, limits, balancer);
    this.world = world;
    this.#random = random;
    this.#balancer = balancer;
    this.#mayCut = random.chance(0.3);
    this.#mayDrain = random.chance(0.3);
    this.#mayStall = random.chance(0.3) && limits.pingInterval > 1000;
    world.isSlow = this.#mayStall;
    world.isDistant = true;
    this.#clients = Array.from({ length: random.between(1, 4) }, (_, index) => {
      const Client = random.chance(0.3) ? WildClient : FuzzClient;
      return new Client(world, index, random.chance(0.3) ? 3 : 4);
    });
    const options: ServerOptions = {
      ...limits,
      allowEIO3: true,
      ...(random.chance(0.1) && { cookie: true }),
      ...(random.chance(0.1) && { cors: { origin: "*" } }),
    };
    const early = random.chance(0.2);
    this.#nodes = ["AAAA", "BBBB", "CCCC"].map((id) => new Node(id, world, options, this.#clients, early));
    for (const node of this.#nodes) {
      balancer.nodes.push(node);
      node.engine.on("connection", ({ id }: Session) => this.#bound.set(id, (this.#bound.get(id) ?? 0) + 1));
    }
    const [a, b, c] = this.#nodes as [Node, Node, Node];
    for (const pair of [
      [a, b],
      [a, c],
      [b, c],
    ] as const) {
      this.#links.push({ pair, connection: this.#connect(pair), stalledAt: undefined });
    }
    world.loop.advance(0);
  }

  #connect([one, other]: readonly [Node, Node]): MemoryConnection {
    return joinInMemory(this.world.loop, one.members, other.members);
  }

  async run(watch: (thing: object) => void): Promise<void> {
    for (const { engine, directory } of this.#nodes) {
      watch(engine);
      watch(directory);
    }
    for (let left = this.#random.between(10, 80); left > 0; left--) await this.#step();
    await this.#finish();
    for (const { application } of this.#nodes) {
      for (const { session } of application.served) {
        watch(session);
        watch(session.transport);
      }
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const { world } = this;
    const client = random.pick(this.#clients);
    const { application } = random.pick(this.#nodes);
    const kind = random.weighted([
      [10, "client"],
      [3, "application"],
      [2, "hook"],
      [8, "tick"],
      [2, "time"],
      [this.#mayCut ? 1 : 0, "cut"],
      [this.#mayStall ? 1 : 0, "stall"],
      [this.#mayDrain ? 0.3 : 0, "drain"],
    ]);
    if (kind === "client") {
      // Clients upgrade as soon as they can.
      const weight = ([weight, name]: Action): number => (name === "upgrades" ? 8 : 1) * weight;
      const action = random.weighted(client.actions().map((each) => [weight(each), each] as const));
      world.trace.push(`${client.name} ${action?.[1] ?? "waits"}`);
      action?.[2]();
    } else if (kind === "application") {
      application.act();
    } else if (kind === "hook") {
      application.decide();
    } else if (kind === "tick") {
      world.trace.push("tick");
      world.loop.tick();
    } else if (kind === "time") {
      this.#pass(this.#someTime());
    } else if (kind === "cut") {
      this.#cutOrJoin();
    } else if (kind === "drain") {
      this.#drain();
    } else {
      this.#stallOrResume();
    }
    await this.#check();
  }

  #someTime(): number {
    const random = this.#random;
    return random.weighted([
      [10, random.between(1, 200)],
      [3, random.below(HELD)],
      [1, random.below(PATIENCE)],
      [0.3, random.below(60_000)],
    ])!;
  }

  #pass(ms: number): void {
    const now = this.world.loop.now();
    for (const link of this.#links) {
      if (link.stalledAt !== undefined && now + ms - link.stalledAt > PATIENCE) this.#resume(link);
    }
    this.world.trace.push(`${ms} ms pass`);
    this.world.loop.advance(ms);
  }

  #cutOrJoin(): void {
    const link = this.#random.pick(this.#links);
    const [one, other] = link.pair;
    const name = `${one.members.self}-${other.members.self}`;
    if (one.members.link(other.members.self) === undefined) {
      this.world.trace.push(`${name} is linked again`);
      link.connection = this.#connect(link.pair);
      return;
    }
    this.world.trace.push(`${name} is cut`);
    this.#disturb();
    link.stalledAt = undefined;
    link.connection.cut();
  }

  /** From here on, clients can expect nothing but to be told. */
  #disturb(): void {
    for (const client of this.#clients) {
      client.orderly = false;
      client.left = client.broken = true;
    }
  }

  /** One node stays. The connections of one that retires close, too. */
  #drain(): void {
    const node = this.#random.pick(this.#nodes);
    const { length } = this.#nodes.filter(({ state }) => state === "up");
    if (length === 1 || node.state !== "up") return;
    this.world.trace.push(`${node.members.self} drains`);
    node.drain();
    if (!this.#random.chance(0.5)) return;
    this.world.trace.push(`${node.members.self} retires`);
    this.#disturb();
    void node.directory.retire();
  }

  #stallOrResume(): void {
    const link = this.#random.pick(this.#links);
    if (link.stalledAt !== undefined) {
      this.#resume(link);
      return;
    }
    this.world.trace.push(`${link.pair.map(({ members }) => members.self).join("-")} stands still`);
    link.stalledAt = this.world.loop.now();
    link.connection.stall();
  }

  #resume(link: { connection: MemoryConnection; stalledAt: number | undefined }): void {
    this.world.trace.push("a link goes on");
    link.stalledAt = undefined;
    link.connection.resume();
  }

  /** What must hold at any time. */
  async #check(): Promise<void> {
    const { world } = this;
    await settled();
    for (const error of world.loop.uncaught.splice(0)) world.caught(error);
    for (const [id, times] of this.#bound) world.expect(times === 1, `${id} was bound ${times} times`);
    for (const { application, engine, members } of this.#nodes) {
      const { open } = application;
      const counts = [open.length, engine.clientsCount];
      world.expect(
        new Set(counts).size === 1,
        `sessions known to the application of ${members.self}, counted: ${counts.join()}`,
      );
      for (const { session, closeEvents, closeCalls, client } of application.served) {
        const ended = session.readyState === "closed";
        const told = ended ? closeEvents === 1 && closeCalls === 1 : closeEvents === 0;
        world.expect(
          told,
          `${client.name} is ${session.readyState}, told ${closeEvents} and ${closeCalls} times`,
        );
      }
    }
    for (const socket of world.sockets) world.expect(socket.lateFrames === 0, "a frame after the end");
    if (world.failures.length > 0) throw new Error(world.failures.join("\n"));
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 400; round++) {
      for (const { application } of this.#nodes) while (application.waiting > 0) application.decide();
      for (const client of this.#clients) client.respond();
      this.world.loop.tick();
      await this.#check();
      if (round > 10 && this.#clients.every((client) => client.quiet || !client.orderly)) return;
      this.world.loop.advance(2);
    }
  }

  async #finish(): Promise<void> {
    const { world } = this;
    world.trace.push("everybody finishes");
    for (const link of this.#links) if (link.stalledAt !== undefined) this.#resume(link);
    for (const { application } of this.#nodes) application.calm = true;
    await this.#settle();
    this.#pass(HELD);
    await this.#settle();
    this.#checkBound();
    this.#checkArrived();
    for (const { application } of this.#nodes) {
      for (const served of application.open) {
        const end = this.#random.pick(["close", "leave", "stay"]);
        if (end === "close") application.close(served, false);
        else if (end === "leave") served.client.leave();
      }
    }
    await this.#settle();
    for (const { application } of this.#nodes) application.closeAll();
    for (const socket of world.sockets) world.call(() => socket.resume());
    this.#pass(0);
    await this.#check();
    // Requests of stray clients find that their sessions have ended.
    this.#pass(LONG);
    await this.#check();
    for (const { members, directory, engine, streams } of this.#nodes) {
      const { self } = members;
      world.expect(engine.clientsCount === 0, `sessions are left at ${self}`);
      world.expect(engine.clock.timers === 0, `deadlines are left at ${self}`);
      world.expect(
        directory.movedSessions === 0,
        `${directory.movedSessions} tombstones are left at ${self}`,
      );
      world.expect(streams === 0, `${streams} streams are left at ${self}`);
      members.leave();
    }
    const { refused } = this.#balancer;
    world.expect(this.#mayCut || refused === 0, `${refused} handshakes were refused`);
    const unanswered = [...world.unanswered].join(", ");
    world.expect(unanswered === "", `requests without an answer: ${unanswered}`);
    this.#pass(LONG);
    world.expect(world.loop.timers === 0, "timers are left");
    await this.#check();
  }

  /** Every client that is there has a session, and an application that knows of it. */
  #checkBound(): void {
    for (const client of this.#clients) {
      if (!client.orderly || client.state !== "open") continue;
      this.world.expect(client.served?.open === true, `the session of ${client.name} is nobody's`);
    }
  }

  #checkArrived(): void {
    for (const { application } of this.#nodes) {
      for (const { client, session, sent, received } of application.open) {
        if (!client.orderly || client.state !== "open" || session.readyState !== "open") continue;
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
  const short = random.chance(0.2);
  return {
    pingInterval: short ? 300 : 25_000,
    pingTimeout: short ? 200 : 20_000,
    upgradeTimeout: random.pick([100, 10_000]),
    maxHttpBufferSize: random.pick([2000, 1e6]),
    maxBackpressure: random.pick([0, 5000, 16 * 1024 * 1024]),
    maxReceiveBacklog: random.pick([0, 16 * 1024 * 1024]),
    transports: random.weighted([
      [8, ["polling", "polling", "polling", "websocket"]],
      [1, ["polling"]],
      [1, ["websocket"]],
    ])!,
  };
}
