// A run against a server: `socket.io` or `@tidewire/server`.
import type { Namespace, Server, ServerOptions, Socket } from "socket.io";
import { io as connectClient } from "socket.io-client";
import type { Manager, ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import type { Engine } from "../../test/support/engine/types.ts";
import {
  openOldClient,
  type OldClient,
  type OldClientOptions,
} from "../../test/support/server/old-clients.ts";
import { show } from "./recorder.ts";
import { describe, Run } from "./run.ts";
import type { StartedServer } from "../../test/support/server/started-server.ts";
import { startServer, type Target } from "./targets.ts";

export type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** The event of a round trip of `settle()`, which is not recorded. */
const SETTLE = "~settle";

export class ServerRun extends Run {
  readonly io: Server;
  /** The sockets of watched namespaces, in the order in which they connected. */
  readonly sockets: Socket[] = [];
  readonly #clients: ClientSocket[] = [];
  readonly #oldClients: OldClient[] = [];

  private constructor(target: Target, started: StartedServer, path: string) {
    super(target, started.port, path);
    const { io } = started;
    this.io = io;
    this.afterwards(() => started.close());
    this.watchEngine(io.engine as unknown as Engine, () => {});
    this.watch(io.of("/"));
  }

  static async start(target: Target, options: Partial<ServerOptions> = {}): Promise<ServerRun> {
    const started = await startServer(target, options);
    const path = `${(options.path ?? "/socket.io").replace(/\/$/, "")}/`;
    return new ServerRun(target, started, path);
  }

  /** The socket that connected last. */
  get socket(): Socket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket");
    return socket;
  }

  /** Records the events of the namespace and its sockets. Call it before the scenario adds its own listeners. */
  watch(namespace: Namespace): void {
    namespace.on("connection", (socket: Socket) => {
      this.recorder.learn("socket", socket.id);
      this.sockets.push(socket);
      const where = `${socket.nsp.name} ${socket.id}`;
      this.note("server", `${where} connection${socket.recovered ? " recovered" : ""}`);
      socket.onAny((...event: unknown[]) => {
        if (event[0] !== SETTLE) this.note("server", where, "event", event.map(withoutAck));
      });
      socket.on("disconnecting", (reason: string) => {
        this.note("server", `${where} disconnecting: ${reason}, rooms`, [...socket.rooms]);
      });
      socket.on("disconnect", (reason: string, description: unknown) => {
        this.note("server", `${where} disconnect: ${reason}`);
        this.note("server", `${where} description: ${describe(description)}`);
      });
      socket.on("error", (error: Error) => this.note("server", `${where} error: ${error.message}`));
      socket.on(SETTLE, (answer: () => void) => answer());
    });
  }

  /** Opens the current official client; its events go to the lane. It does not reconnect by default. */
  client(lane: string, options: ClientOptions = {}, namespace: string = ""): ClientSocket {
    const url = `http://127.0.0.1:${this.port}${namespace}`;
    const client = connectClient(url, { forceNew: true, reconnection: false, ...options });
    this.#listen(lane, client);
    const { io: manager } = client;
    for (const event of ["reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed"] as const) {
      manager.on(event, () => this.note(lane, event));
    }
    manager.on("open", () => {
      const { engine } = manager;
      engine.on("upgrade", ({ name }: { name: string }) => this.note(`${lane} engine`, `upgrade to ${name}`));
    });
    return client;
  }

  /** Joins another namespace over the same connection. */
  join(
    lane: string,
    manager: Manager,
    namespace: string,
    options: Partial<SocketOptions> = {},
  ): ClientSocket {
    const client = manager.socket(namespace, options);
    this.#listen(lane, client);
    return client;
  }

  /** Connects an official client, and waits for its upgrade, if any. */
  async connected(lane: string, options: ClientOptions = {}, namespace: string = ""): Promise<ClientSocket> {
    const client = this.client(lane, options, namespace);
    await this.saw(lane, /^connect\b/);
    const { transports, upgrade } = client.io.opts;
    const isUpgrading = upgrade !== false && transports?.[0] === "polling" && transports.length > 1;
    if (isUpgrading && client.connected) await this.saw(`${lane} engine`, "upgrade to");
    await this.settle();
    return client;
  }

  /** Opens socket.io-client 2, which uses protocol 3. */
  oldClient(lane: string, options: OldClientOptions = {}, namespace: string = ""): OldClient {
    const client = openOldClient(`http://127.0.0.1:${this.port}${namespace}`, options);
    this.#oldClients.push(client);
    client.on("connect", () => this.note(lane, "connect"));
    client.on("error", (error: unknown) => this.note(lane, "error", error));
    client.on("connect_error", (error: Error) => this.note(lane, "connect_error", error.message));
    client.on("disconnect", (reason: string) => this.note(lane, `disconnect: ${reason}`));
    const receiver = client as unknown as { onevent(packet: { data: unknown[] }): void };
    const onevent = receiver.onevent.bind(receiver);
    receiver.onevent = (packet) => {
      this.note(lane, "event", packet.data);
      onevent(packet);
    };
    this.afterwards(() => client.close());
    return client;
  }

  /**
   * Waits for a round trip of each connected client: everything sent before, in either direction, has then arrived. Clients
   * on long-polling then have a pending poll.
   */
  async settle(): Promise<void> {
    const trips = this.#clients.filter(({ connected }) => connected).map(roundTrip);
    const oldTrips = this.#oldClients.filter(({ connected }) => connected).map(oldRoundTrip);
    await Promise.all([...trips, ...oldTrips]);
    const deadline = Date.now() + 2000;
    for (const { conn, connected } of this.sockets) {
      const isBusy = (): boolean => connected && conn.readyState === "open" && !conn.transport.writable;
      while (isBusy() && Date.now() < deadline) await new Promise(setImmediate);
    }
  }

  #listen(lane: string, client: ClientSocket): void {
    this.#clients.push(client);
    client.on("connect", () =>
      this.note(lane, `connect${client.recovered ? " recovered" : ""} ${client.id}`),
    );
    client.on("connect_error", (error: Error & { data?: unknown }) => {
      this.note(lane, `connect_error ${error.message}`, error.data);
    });
    client.on("disconnect", (reason: string, details?: unknown) => {
      this.note(lane, `disconnect: ${reason}`);
      if (details) this.note(lane, `details: ${describeDetails(details)}`);
    });
    client.onAny((...event: unknown[]) => this.note(lane, "event", event.map(withoutAck)));
    this.afterwards(() => client.close());
  }
}

function roundTrip(client: ClientSocket): Promise<unknown> {
  return client
    .timeout(8000)
    .emitWithAck(SETTLE)
    .catch(() => {});
}

/** Also resolves when the client disconnects. */
function oldRoundTrip(client: OldClient): Promise<unknown> {
  return new Promise((resolve) => {
    client.emit(SETTLE, resolve);
    client.once("disconnect", resolve);
  });
}

function withoutAck(argument: unknown): unknown {
  return typeof argument === "function" ? "<ack>" : argument;
}

/** The parts of an error of the client's engine that do not depend on its internals. */
function describeDetails(details: unknown): string {
  const { description, context } = details as { description?: unknown; context?: unknown };
  const { code, reason, status } = (context ?? {}) as { code?: number; reason?: string; status?: number };
  return show({ description, code, reason, status });
}
