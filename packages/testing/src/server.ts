import { Engine, MemoryHost } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { ServerOptions } from "@tidewire/server";
import { Manager } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import { createError } from "./errors.ts";
import { InFlight } from "./in-flight.ts";
import { MemorySocket } from "./memory-socket.ts";
import { memoryTransports } from "./memory-transports.ts";
import type { MemoryTransports } from "./memory-transports.ts";
import { RealTime } from "./real-time.ts";
import { TestClock } from "./clock.ts";

/** Options of {@link testServer}: those of the server, and whether the test moves the clock. */
export interface TestServerOptions extends Partial<ServerOptions> {
  /**
   * `"manual"`: time stands still until `server.clock.advance(ms)`, for the server, the clients and the application.
   * @default "real"
   */
  clock?: "real" | "manual";
  /**
   * The contract of the server: see `@tidewire/contract`.
   * @default none
   */
  contract?: object;
}

/** Options of a client: those of the official one. It does not reconnect unless `reconnection` is true. */
export interface TestClientOptions extends Partial<Omit<ManagerOptions & SocketOptions, "transports">> {
  /**
   * The transports that the client may use.
   * @default ["websocket"]
   */
  transports?: ("polling" | "websocket")[];
}

/**
 * Starts an application in memory: the real server, without ports.
 *
 * @param setUp - registers the listeners and middlewares of the application; awaited
 * @throws what `setUp` throws
 *
 * @example
 * const server = await testServer((io) => {
 *   io.on("connection", (socket) => socket.on("echo", (text, answer) => answer(text)));
 * });
 * const client = await server.connect();
 * assert.equal(await client.emitWithAck("echo", "hello"), "hello");
 * await server.close();
 */
export async function testServer<Io extends Server = Server>(
  setUp: (io: Io) => unknown,
  options: TestServerOptions = {},
): Promise<TestServer<Io>> {
  const server = new TestServer<Io>(options);
  try {
    await setUp(server.io);
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** An application in memory, as {@link testServer} starts it. */
export class TestServer<Io extends Server = Server> {
  /** The server that the application was given. */
  readonly io: Io;
  readonly #inFlight: InFlight = new InFlight();
  readonly #transports: MemoryTransports;
  readonly #clock: TestClock | undefined;
  readonly #managers: Set<Manager> = new Set();
  #isClosed = false;

  /** @internal */
  constructor({ clock, ...options }: TestServerOptions) {
    this.#clock = clock === "manual" ? new TestClock(this.#inFlight) : undefined;
    const host = new MemoryHost();
    this.#transports = memoryTransports(host, this.#inFlight);
    try {
      const io = new Server(options);
      const engine = new Engine(options, this.#clock?.loop ?? new RealTime(this.#inFlight));
      io.bind(engine.attachHost(host));
      this.io = io as Io;
    } catch (error) {
      // Invalid options: the process must have its own time back.
      this.#clock?.uninstall();
      throw error;
    }
  }

  /**
   * The clock that the test moves.
   *
   * @throws Error (`REAL_CLOCK`) if the server was started without `clock: "manual"`
   */
  get clock(): TestClock {
    if (this.#clock === undefined) throw createError("REAL_CLOCK");
    return this.#clock;
  }

  /**
   * Connects an official client, and resolves once it has joined the namespace.
   *
   * @param options - `auth`, `query`, `extraHeaders` and the other options of the official client
   * @throws the error of `connect_error` if it is refused
   *
   * @example
   * const admin = await server.connect("/admin", { auth: { token: "secret" } });
   */
  async connect(namespace: string = "/", options: TestClientOptions = {}): Promise<ClientSocket> {
    const socket = this.client(namespace, options);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
      socket.connect();
    });
    return socket;
  }

  /**
   * Returns an official client that is not connected yet, for tests that look at how it connects.
   *
   * @example
   * const client = server.client("/", { reconnection: true });
   * client.on("connect_error", (error) => {});
   * client.connect();
   */
  client(namespace: string = "/", options: TestClientOptions = {}): ClientSocket {
    const { transports = ["websocket"], ...others } = options;
    const manager = new Manager("http://localhost", {
      reconnection: false,
      path: this.io.path(),
      ...others,
      autoConnect: false,
      transports: transports.map((name) => this.#transports[name]),
    });
    this.#managers.add(manager);
    return manager.socket(namespace, others.auth === undefined ? {} : { auth: others.auth });
  }

  /**
   * Ends the connection of a client on WebSocket as a broken network does, without a close frame.
   *
   * @throws Error (`NO_WEBSOCKET`) if the client has no open WebSocket of this server
   *
   * @example
   * await server.cut(client); // the client gets `disconnect` with the reason "transport close"
   */
  async cut(client: ClientSocket): Promise<void> {
    const { ws } = client.io.engine.transport as unknown as { ws?: unknown };
    if (!(ws instanceof MemorySocket)) throw createError("NO_WEBSOCKET");
    ws.terminate();
    await this.settled();
  }

  /**
   * Resolves once everything that was sent has arrived: then what did not happen will not happen by itself.
   *
   * @example
   * client.emit("leave");
   * await server.settled();
   * assert.equal(server.io.sockets.adapter.rooms.has("lobby"), false);
   */
  settled(): Promise<void> {
    return this.#inFlight.settled();
  }

  /**
   * Disconnects the clients, closes the server, and gives the process its own clock back. Can be called twice.
   *
   * @example
   * afterEach(() => server.close());
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The clock first: closing must not wait for a time that stands still.
    this.#clock?.uninstall();
    for (const manager of this.#managers) {
      manager.reconnection(false);
      manager._close();
    }
    await this.settled();
    await this.io.close();
    await this.settled();
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
