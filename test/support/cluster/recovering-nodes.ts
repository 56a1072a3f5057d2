import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cluster } from "@tidewire/cluster";
import type { ClusterOptions } from "@tidewire/cluster";
import { redis } from "@tidewire/cluster-redis";
import type { RedisOptions } from "@tidewire/cluster-redis";
import { Server } from "@tidewire/server";
import type { ServerOptions, Socket } from "@tidewire/server";
import { Redis } from "ioredis";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import { cuttableProxy } from "../proxies/tcp.ts";
import type { CuttableProxy } from "../proxies/tcp.ts";
import { RedisServer } from "../redis/redis-server.ts";
import { next } from "../waiting/events.ts";
import { within } from "../waiting/queue.ts";

export interface RecoveringNodesOptions {
  server?: Partial<ServerOptions>;
  cluster?: Pick<ClusterOptions, "ordering">;
  backend?: Partial<RedisOptions>;
}

/** A server of a cluster whose journal is in Redis. */
export class RecoveringNode implements AsyncDisposable {
  readonly io: Server;
  readonly client: Redis;
  /** What `io.cluster` has said: `away`, `back` and `gap`, with what it is about. */
  readonly events: string[] = [];

  constructor(redisUrl: string, directory: string, options: RecoveringNodesOptions) {
    this.client = new Redis(redisUrl, { retryStrategy: () => 50 });
    this.client.on("error", () => {});
    this.io = new Server(0, {
      host: "node",
      connectionStateRecovery: {},
      ...options.server,
      cluster: cluster({
        name: "test",
        directory,
        listen: { host: "127.0.0.1", secret: "a secret that all nodes share" },
        backend: redis({ client: this.client, lease: 1500, ...options.backend }),
        ...options.cluster,
      }),
    });
    this.io.cluster!.on("away", (error) => this.events.push(`away ${error.code}`));
    this.io.cluster!.on("back", (code) => this.events.push(`back ${code}`));
    this.io.cluster!.on("gap", ({ missed }) => this.events.push(`gap ${missed}`));
    this.io.on("connection", answerMarks);
    this.io.on("settle" as never, (done: () => void) => done());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.io.httpServer.address() as { port: number }).port;
  }

  /** Resolves once `io.cluster` has said so. */
  async says(event: string): Promise<void> {
    const said = async (): Promise<void> => {
      while (!this.events.includes(event)) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await within(said(), `a node to say "${event}"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.io.close();
    this.client.disconnect();
  }
}

/** Answers a client that wants to know whether everything sent before has arrived. */
export function answerMarks(socket: Socket): void {
  socket.on("mark", (done: () => void) => done());
}

/** Servers of a cluster, and the Redis in which their journal is. `await using` ends all of it. */
export class RecoveringNodes implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly nodes: RecoveringNode[] = [];
  readonly #clients: RecoveringClient[] = [];
  readonly #options: RecoveringNodesOptions;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));

  private constructor(redis: RedisServer, options: RecoveringNodesOptions) {
    this.redis = redis;
    this.#options = options;
  }

  static async start(count: number, options: RecoveringNodesOptions = {}): Promise<RecoveringNodes> {
    const nodes = new RecoveringNodes(await RedisServer.start(), options);
    for (let started = 0; started < count; started++) await nodes.add();
    return nodes;
  }

  /**
   * Starts one more, which has met the others when this resolves.
   *
   * @param redisUrl - where it finds Redis, if that is another way
   */
  async add(redisUrl: string = this.redis.url): Promise<RecoveringNode> {
    const node = new RecoveringNode(redisUrl, join(this.#folder, "c"), this.#options);
    this.nodes.push(node);
    await once(node.io.cluster as unknown as NodeJS.EventEmitter, "ready");
    return node;
  }

  /** Connects an official client to a node. */
  async connect(node: RecoveringNode, options: ClientsOptions = {}): Promise<RecoveringClient> {
    const client = await RecoveringClient.connect(node, options);
    this.#clients.push(client);
    return client;
  }

  /** Resolves when what the nodes have sent has arrived at the others, and at the clients. */
  async settled(): Promise<void> {
    const namespaces = this.nodes.map(({ io }) => [...io._nsps.values()]);
    for (const namespace of namespaces.flat()) {
      if (namespace.listenerCount("settle") === 0) namespace.on("settle", (done: () => void) => done());
    }
    // The first one once more, so that what the last one has sent has come back to it.
    for (const each of [...namespaces, namespaces[0]!]) {
      for (const namespace of each) await namespace.serverSideEmitWithAck("settle");
    }
    await Promise.all(this.#clients.map((client) => client.settled()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface ClientsOptions extends Partial<ManagerOptions & SocketOptions> {
  namespace?: string;
}

/** An official client that comes back when it is told to, to the node that it is told. */
export class RecoveringClient {
  readonly socket: ClientSocket;
  /** The events that it has received, without their offsets. */
  readonly received: string[] = [];
  readonly #proxy: CuttableProxy;

  private constructor(socket: ClientSocket, proxy: CuttableProxy) {
    this.socket = socket;
    this.#proxy = proxy;
    socket.onAny((event: string, ...args: unknown[]) => {
      const last = args.at(-1);
      // An event that asks for an answer ends in a function, all others in their offset.
      if (typeof last === "string" || typeof last === "function") args.pop();
      this.received.push([event, ...args.map(textOf)].join(" "));
    });
  }

  static async connect(
    { port }: Pick<RecoveringNode, "port">,
    { namespace = "/", ...options }: ClientsOptions,
  ): Promise<RecoveringClient> {
    const proxy = await cuttableProxy(port);
    const socket = connect(`http://127.0.0.1:${proxy.port}${namespace}`, {
      forceNew: true,
      reconnection: false,
      transports: ["websocket"],
      ...options,
    });
    const client = new RecoveringClient(socket, proxy);
    await next(socket, "connect");
    return client;
  }

  get id(): string {
    return this.socket.id!;
  }

  /** Returns what it has received, and forgets it. */
  take(): string[] {
    return this.received.splice(0);
  }

  /** The connection breaks, and the server sees it. */
  async drop(): Promise<void> {
    const gone = next(this.socket, "disconnect");
    this.socket.io.engine.close();
    await gone;
  }

  /** The connection breaks, and the server sees nothing. */
  async breakLine(): Promise<void> {
    this.#proxy.freeze();
    await this.drop();
  }

  /** Connects again. */
  async back({ url }: Pick<RecoveringNode, "url">): Promise<this> {
    Reflect.set(this.socket.io, "uri", url);
    const connected = next(this.socket, "connect");
    this.socket.connect();
    await connected;
    return this;
  }

  /** Another client that says it was this one. */
  twin({ url }: Pick<RecoveringNode, "url">, offset?: string): ClientSocket {
    const twin = connect(url, {
      forceNew: true,
      reconnection: false,
      transports: ["websocket"],
      autoConnect: false,
    });
    Reflect.set(twin, "_pid", Reflect.get(this.socket, "_pid"));
    Reflect.set(twin, "_lastOffset", offset ?? Reflect.get(this.socket, "_lastOffset"));
    twin.connect();
    return twin;
  }

  /** Resolves when it has received what was sent to it, if it is connected. */
  async settled(): Promise<void> {
    if (this.socket.connected) await this.socket.timeout(5000).emitWithAck("mark");
  }

  close(): void {
    this.socket.close();
    this.#proxy.close();
  }
}

function textOf(value: unknown): string {
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString("hex");
  return Buffer.isBuffer(value) ? value.toString("hex") : JSON.stringify(value);
}
