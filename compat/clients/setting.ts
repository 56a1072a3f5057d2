// The combinations that a test runs on: each version of the client, each transport, both hosts, both parsers.
import { until } from "../../test/support/engine/peers.ts";
import { within } from "../../test/support/waiting/queue.ts";
import { afterThisTest, suite } from "../support/after-test.ts";
import { serverHosts } from "../../test/support/server/hosts.ts";
import type { ServerHost } from "../../test/support/server/hosts.ts";
import { next } from "../../test/support/waiting/events.ts";
import { transports } from "../../test/support/server/clients.ts";
import type { StartedServer } from "../../test/support/server/started-server.ts";
import type { ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { cell, isFull, unsupported, type Cell } from "../support/cell.ts";
import { front, NO_RECOVERY, withWorkers } from "../support/workers.ts";
import type { Client, ClientOptions, Refusal } from "./client.ts";
import { serverParser, versions, type Ability, type ClientVersion } from "./versions.ts";

export type Mode = "polling" | "websocket" | "upgrade";

export interface OpenOptions extends ClientOptions {
  credentials?: Record<string, string>;
}

/** A server that clients can join. */
export type Listening = Pick<StartedServer, "io" | "url">;

export interface Joined {
  client: Client;
  socket: Socket;
}

const LACKS: Readonly<Record<Ability, string>> = {
  "catch-all": "the client has no onAny() before version 3",
  volatile: "the client has no volatile events before version 3",
  "typed arrays": "the client treats typed arrays as plain objects before version 3",
  timeouts: "the client has no acknowledgement timeouts before version 4.4",
  promises: "the client has no emitWithAck() before version 4.6",
  recovery: "the client cannot recover its state before version 4.6",
  retries: "the client has no retries before version 4.6",
};

/** One combination, and how its tests start servers and clients. */
export class Setting {
  readonly version: ClientVersion;
  readonly mode: Mode;
  readonly host: ServerHost;
  readonly isMsgpack: boolean;

  constructor(version: ClientVersion, mode: Mode, host: ServerHost, isMsgpack: boolean) {
    this.version = version;
    this.mode = mode;
    this.host = host;
    this.isMsgpack = isMsgpack;
  }

  get cell(): Cell {
    const { version, msgpack } = this.version;
    return {
      group: "Official clients",
      part: "socket.io-client",
      version: this.isMsgpack ? `${version} (msgpack ${msgpack.version})` : version,
      host: this.host.name === "node" ? "node" : "uws",
      transport: this.mode,
    };
  }

  /** The final transport of a connection. */
  get transport(): "polling" | "websocket" {
    return this.mode === "polling" ? "polling" : "websocket";
  }

  /** The same combination with another version. */
  as(version: ClientVersion): Setting {
    return new Setting(version, this.mode, this.host, this.isMsgpack);
  }

  /** The options of a server that accepts this client. */
  serverOptions(options: Partial<ServerOptions> = {}): Partial<ServerOptions> {
    return { ...this.version.server, ...(this.isMsgpack && { parser: serverParser }), ...options };
  }

  /** Starts a server, which closes after the test. */
  async start(options: Partial<ServerOptions> = {}): Promise<StartedServer> {
    const server = await this.host.start(this.serverOptions(options));
    afterThisTest(() => server.close());
    return server;
  }

  /** Opens a client with its own connection, without reconnection by default; it closes after the test. */
  open(url: string, options: OpenOptions = {}, namespace = "/"): Client {
    return closedLater(this.version.module(url + namespace, this.#clientOptions(options)));
  }

  /** Opens clients of several namespaces over one connection; they close after the test. */
  openAll(url: string, namespaces: readonly string[], options: OpenOptions = {}): Client[] {
    const { credentials, ...rest } = options;
    const manager = new this.version.module.Manager(url, this.#clientOptions(rest));
    return namespaces.map((namespace) =>
      closedLater(manager.socket(namespace, this.credentials(credentials))),
    );
  }

  credentials(credentials: Record<string, string> | undefined): object {
    return credentials === undefined ? {} : { [this.version.credentials]: credentials };
  }

  /** The credentials that the server received from the client. */
  credentialsOf(socket: Socket): Record<string, unknown> {
    return this.version.credentialsOf(socket);
  }

  #clientOptions({ credentials, ...rest }: OpenOptions): object {
    return {
      ...options(this.mode),
      forceNew: true,
      reconnection: false,
      ...(this.isMsgpack && { parser: this.version.msgpack.parser }),
      ...this.credentials(credentials),
      ...rest,
    };
  }

  /** Connects a client, and resolves with it and its socket; with `upgrade`, they can still be on long-polling. */
  async join(server: Listening, options: OpenOptions = {}, namespace = "/"): Promise<Joined> {
    const connection = next<[Socket]>(server.io.of(namespace), "connection");
    const client = this.open(server.url, options, namespace);
    const [[socket]] = await Promise.all([connection, this.connected(client)]);
    return { client, socket };
  }

  /** The same, but waits for the final transport. */
  async joinFully(server: Listening, options: OpenOptions = {}, namespace = "/"): Promise<Joined> {
    const joined = await this.join(server, options, namespace);
    await this.onLastTransport(joined.socket);
    return joined;
  }

  async onLastTransport(socket: Socket): Promise<void> {
    await until(() => socket.conn.transport.name === this.transport, "the upgrade");
  }

  /** Resolves when the client is connected, and rejects if it is refused. */
  async connected(client: Client): Promise<void> {
    if (client.connected) return;
    const answer = new Promise<void>((resolve, reject) => {
      client.once("connect", resolve);
      client.once(this.version.refused, (given: unknown) =>
        reject(new Error(`refused: ${JSON.stringify(this.version.refusal(given))}`)),
      );
    });
    await within(answer, "the client to connect");
  }

  /** Resolves with the reason for which the server refuses the client. */
  async refused(client: Client): Promise<Refusal> {
    const [given] = await next(client, this.version.refused);
    return this.version.refusal(given);
  }

  /** Declares a test of an ability that some versions lack. */
  itWith(ability: Ability, title: string, body: () => Promise<void>): void {
    if (ability === "recovery" && front !== undefined) unsupported(title, NO_RECOVERY);
    else if (this.version.abilities.has(ability)) it(title, body);
    else unsupported(title, LACKS[ability]);
  }
}

/** The options of a client that connects in this mode. */
export function options(mode: Mode): object {
  // Node has its own WebSocket since version 22; clients must use the one of their dependencies
  return { forceNode: true, ...transports[mode] };
}

/** Closes the client after the test. */
export function closedLater<T extends { close(): unknown }>(client: T): T {
  afterThisTest(() => client.close());
  return client;
}

export const modes: readonly Mode[] = ["polling", "websocket", "upgrade"];

/** Uses both transports. */
const UPGRADE: readonly Mode[] = ["upgrade"];

/**
 * The quick form tests MessagePack with the upgrade only, and those clients, too, between the oldest and the newest, which speak the
 * protocol of the newest.
 */
function modesOf(version: ClientVersion, isMsgpack: boolean): readonly Mode[] {
  const isEdge = version === versions[0] || version === versions.at(-1);
  return isFull || (isEdge && !isMsgpack) ? modes : UPGRADE;
}

export interface Topic {
  /** Whether its tests only exchange text events in the main namespace. */
  readonly plain?: boolean;
}

/** Declares the tests of a topic for each combination. */
export function onEveryClient(title: string, topic: Topic, body: (setting: Setting) => void): void {
  for (const setting of settings()) {
    const { plainOnly } = setting.version.msgpack;
    cell(setting.cell, () => {
      if (!topic.plain && setting.isMsgpack && plainOnly !== undefined) unsupported(title, plainOnly);
      else suite(title, () => body(setting));
    });
  }
}

function* settings(): Generator<Setting> {
  for (const host of serverHosts.map(withWorkers)) {
    for (const version of versions) {
      for (const isMsgpack of [false, true])
        for (const mode of modesOf(version, isMsgpack)) yield new Setting(version, mode, host, isMsgpack);
    }
  }
}
