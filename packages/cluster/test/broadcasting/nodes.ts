import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { internals, MemoryHost, Server as Engine } from "@tidewire/engine";
import type { MemoryWebSocket } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { ServerOptions, Socket } from "@tidewire/server";
import { Broadcasting } from "../../src/broadcasting/broadcasting.ts";
import { clusterAdapter } from "../../src/broadcasting/cluster-adapter.ts";
import { LinkBus } from "../../src/broadcasting/link-bus.ts";
import { ChannelBus } from "../../src/channels/channel-bus.ts";
import { joinInMemory } from "../../src/link/memory-link.ts";
import type { MemoryConnection } from "../../src/link/memory-link.ts";
import { Members } from "../../src/members.ts";
import { MemoryBroker } from "../channels/memory-broker.ts";

/** What carries broadcasts between nodes. */
export const carriers = ["links", "channels"] as const;
export type Carrier = (typeof carriers)[number];

/** A server of a cluster, on the host in memory. */
export class TestNode implements AsyncDisposable {
  readonly host: MemoryHost = new MemoryHost();
  readonly engine: Engine;
  readonly io: Server;

  constructor(options: Partial<ServerOptions>) {
    this.engine = new Engine({ pingInterval: 1e8 });
    this.engine.attachHost(this.host);
    this.io = new Server(options).bind(this.engine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.io.close();
    this.engine.close();
  }

  async connect(namespace: string = "/"): Promise<TestClient> {
    const webSocket = await this.host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
    const connection = once(this.io.of(namespace), "connection") as Promise<[Socket]>;
    const client = new TestClient(webSocket, namespace);
    webSocket.send(`40${client.prefix}`);
    [client.socket] = await connection;
    await settled();
    client.received.length = 0;
    return client;
  }
}

/** A client that answers every event which asks for an answer. */
export class TestClient {
  socket!: Socket;
  /** The messages of Socket.IO that have arrived; binary ones as text in hex. */
  readonly received: string[] = [];
  /** What it answers: an encoded list of arguments; without, nothing. */
  answer: ((event: string) => string | undefined) | undefined = undefined;
  /** What the packets of its namespace have in front of their data. */
  readonly prefix: string;
  readonly #webSocket: MemoryWebSocket;

  constructor(webSocket: MemoryWebSocket, namespace: string) {
    this.prefix = namespace === "/" ? "" : `${namespace},`;
    this.#webSocket = webSocket;
    webSocket.onmessage = (data) => this.#read(data);
  }

  #read(data: string | Buffer): void {
    if (typeof data !== "string") {
      this.received.push(data.toString("hex"));
      return;
    }
    const body = data.slice(1);
    // The ids of events are not the same on all nodes.
    const [, head = "", id = "", rest = ""] = /^(2|5\d*-)((?:\/[^,]*,)?\d+)(\[.*)$/s.exec(body) ?? [];
    this.received.push(id === "" ? body : `${head}#${rest}`);
    const answer = id === "" ? undefined : this.answer?.(rest);
    if (answer !== undefined) this.#webSocket.send(`43${id}${answer}`);
  }

  /** Returns what has arrived, and forgets it. */
  take(): string[] {
    return this.received.splice(0);
  }
}

/** The event loop, with a clock that a test can stop and set. */
export class TestLoop extends internals.NodeEventLoop {
  #stoppedAt: number | undefined = undefined;

  override now(): number {
    return this.#stoppedAt ?? super.now();
  }

  stopClock(): void {
    this.#stoppedAt = this.now();
  }

  /** @param ms - how much later it shall be */
  advance(ms: number): void {
    this.#stoppedAt = this.now() + ms;
  }
}

/** Some servers, each linked to all others. `await using` closes them. */
export class TestNodes implements AsyncDisposable {
  readonly nodes: TestNode[] = [];
  readonly members: Members[] = [];
  /** What the nodes have seen of gaps: who, of whom, how many. */
  readonly gaps: [node: number, from: string, missed: number][] = [];
  /** What the nodes have said of their channels: who, and what. */
  readonly outages: [node: number, event: string][] = [];
  readonly loop: TestLoop = new TestLoop();
  readonly broker: MemoryBroker = new MemoryBroker(this.loop);
  readonly #buses: ChannelBus[] = [];
  /** How long messages wait for the broker at most, in ms. */
  readonly #patience: number | undefined;
  readonly #connections: Map<string, MemoryConnection> = new Map();

  constructor(patience?: number) {
    this.#patience = patience;
  }

  static async start(
    count: number,
    options: Partial<ServerOptions> = {},
    carrier: Carrier = "links",
    patience?: number,
  ): Promise<TestNodes> {
    const cluster = new TestNodes(patience);
    for (let n = 0; n < count; n++) cluster.add(options, carrier);
    await settled();
    return cluster;
  }

  add(options: Partial<ServerOptions> = {}, carrier: Carrier = "links"): TestNode {
    const index = this.nodes.length;
    const members = new Members(this.loop);
    const bus = carrier === "links" ? new LinkBus(members) : this.#channelBus(index, members);
    const broadcasting = new Broadcasting(bus, (from, missed) => this.gaps.push([index, from, missed]));
    const node = new TestNode({ adapter: clusterAdapter(broadcasting) as never, ...options });
    this.members.push(members);
    this.nodes.push(node);
    for (let other = 0; other < index; other++) this.link(other, index);
    if (bus instanceof ChannelBus) bus.start("test");
    return node;
  }

  #channelBus(index: number, members: Members): ChannelBus {
    const handlers = {
      onAway: (error: Error & { code: string }) => this.outages.push([index, error.code]),
      onBack: () => this.outages.push([index, "back"]),
    };
    const limits = { linger: 50, ...(this.#patience === undefined ? {} : { patience: this.#patience }) };
    const bus = new ChannelBus(members, this.broker.channels(), handlers, limits);
    this.#buses.push(bus);
    return bus;
  }

  /** A node does not use its channels any more. */
  async stopBus(index: number): Promise<void> {
    await this.#buses[index]?.stop();
  }

  link(a: number, b: number): void {
    const connection = joinInMemory(this.loop, this.members[a]!, this.members[b]!);
    this.#connections.set(`${a} ${b}`, connection);
  }

  /** Breaks the link between two nodes, of which the first has the lower number. */
  cut(a: number, b: number): void {
    this.#connections.get(`${a} ${b}`)?.cut();
  }

  /** Nothing arrives between two nodes any more. */
  stall(a: number, b: number): void {
    this.#connections.get(`${a} ${b}`)?.stall();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    for (const bus of this.#buses) await bus.stop();
    for (const members of this.members) members.leave();
  }
}

/** Resolves when what is under way has arrived: between the nodes, at the clients, and back. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 24; turns++) await turn();
}
