// Servers and clients for the Socket.IO suites. The suites are written against the types of the official
// package, so that what compiles here is what an application of today compiles to.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type * as official from "socket.io";
import type { Server, ServerOptions, Socket } from "socket.io";
import { io as connectClient } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";
import * as uWS from "uWebSockets.js";
import * as tidewire from "@tidewire/server";
import { needUws } from "../uws/absent.ts";
import { within } from "../waiting/queue.ts";
import { RawWebSocket } from "../wire/raw-websocket.ts";

export type { Server, ServerOptions, Socket, ClientSocket };

type ServerModule = typeof official;
type AnyOptions = Partial<ServerOptions> & { host?: "uws" | "node"; maxBackpressure?: number };

/** The module under test, with the types of the official one. */
export const socketio: ServerModule = tidewire as unknown as ServerModule;

/** A started server. Everything it holds is closed after the test that started it. */
export interface Running {
  readonly io: Server;
  readonly port: number;
  readonly url: string;
  /** Opens an official client; `reconnection` is off and the connection is its own unless asked otherwise. */
  client(options?: Partial<ManagerOptions & SocketOptions>, namespace?: string): ClientSocket;
}

export interface Host {
  readonly name: string;
  start(options?: AnyOptions): Promise<Running>;
}

type Closer = () => unknown;
const closers: Closer[] = [];

/** Runs `close` after the present test, the latest registered first. */
export function afterThisTest(close: Closer): void {
  closers.push(close);
}

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** Puts a `Running` around a server that already listens, and has it closed after the test. */
export function track(io: Server, port: number, scheme = "http"): Running {
  const url = `${scheme}://127.0.0.1:${port}`;
  // an error of a second close, after a test closed the server itself, is not of interest
  afterThisTest(() => io.close().catch(() => {}));
  return { io, port, url, client: (options, namespace) => openClient(url, options, namespace) };
}

export function openClient(
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = {},
  namespace = "",
): ClientSocket {
  const client = connectClient(url + namespace, { forceNew: true, reconnection: false, ...options });
  afterThisTest(() => client.close());
  return client;
}

/** Listens on the loopback interface, on an ephemeral port unless told which; closed after the test. */
export async function listen(server: HttpServer, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  afterThisTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const nodeHost: Host = {
  name: "node",
  async start(options = {}) {
    const httpServer = createServer();
    const port = await listen(httpServer);
    return track(new socketio.Server(httpServer, options), port);
  },
};

const uwsHost: Host = {
  name: "uws",
  async start(options = {}) {
    // Before there is a server, whose adapter may have timers.
    needUws();
    const io = new socketio.Server(0, { host: "uws", ...options });
    return track(io, (io.httpServer.address() as AddressInfo).port);
  },
};

/** A server attached to an app of the caller, as users of uWebSockets.js do it. */
export const attachedHost: Host = {
  name: "attachApp",
  async start(options = {}) {
    const app = uWS.App();
    const io = new socketio.Server(options);
    io.attachApp(app);
    return track(io, listenApp(app));
  },
};

/** Listens with a uWebSockets.js app, on an ephemeral port unless told which; the app is closed after the test. */
export function listenApp(app: uWS.TemplatedApp, wished = 0): number {
  let port = 0;
  app.listen("127.0.0.1", wished, (socket) => {
    if (!socket) throw new Error("uWebSockets.js could not listen");
    port = uWS.us_socket_local_port(socket);
  });
  afterThisTest(() => app.close());
  return port;
}

/** HOST=attachApp: an app of the caller instead of ours. It differs in who made it, so that it is not always all run. */
const onApp = process.env["HOST"] === "attachApp";

/** The hosts of this run. */
export const hosts: readonly Host[] = onApp ? [attachedHost] : [uwsHost, nodeHost];

/** The same, and an app of the caller. */
export const everyHost: readonly Host[] = onApp ? hosts : [...hosts, attachedHost];

/** Describes `body` once for each host. */
export function onEveryHost(title: string, body: (host: Host) => void): void {
  describeOn(hosts, title, body);
}

/** The same with an app of the caller, too: for what was wrong with `attachApp()`. */
export function onEveryHostAndApp(title: string, body: (host: Host) => void): void {
  describeOn(everyHost, title, body);
}

function describeOn(some: readonly Host[], title: string, body: (host: Host) => void): void {
  for (const host of some) suite(`${title} [${host.name}]`, () => body(host));
}

/** `describe` that closes after every test what the test opened. */
export function suite(title: string, body: () => void): void {
  describe(title, () => {
    afterEach(closeAll);
    body();
  });
}

/** `describe` whose tests share what they open: it is closed after the last of them. */
export function sharingSuite(title: string, body: () => void): void {
  describe(title, () => {
    after(closeAll);
    body();
  });
}

type Mode = Partial<ManagerOptions & SocketOptions>;

/** The ways an official client connects. */
export const transports: Readonly<Record<"polling" | "websocket" | "upgrade", Mode>> = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

/** Runs `body` for each way to connect; `title` gets its name. */
export function onEveryTransport(body: (name: string, mode: Mode) => void): void {
  for (const [name, mode] of Object.entries(transports)) describe(`over ${name}`, () => body(name, mode));
}

/** Anything that has `once`: sockets of both sides, namespaces, engines. */
interface Emitter {
  once(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The arguments of the next `event`. */
export function next<T extends unknown[] = unknown[]>(emitter: unknown, event: string): Promise<T> {
  const come = new Promise<T>((resolve) => {
    (emitter as Emitter).once(event, (...args) => resolve(args as T));
  });
  return within(come, `the event ${event}`);
}

/** The arguments of the next `count` events of the name, in order. */
export function collect(emitter: unknown, event: string, count: number): Promise<unknown[][]> {
  const seen: unknown[][] = [];
  const all = new Promise<unknown[][]>((resolve) => {
    (emitter as { on: Emitter["once"] }).on(event, (...args) => {
      seen.push(args);
      if (seen.length === count) resolve(seen);
    });
  });
  return within(all, `${count} events ${event}`);
}

/** Members that the official types hide, and that published packages use all the same. */
export interface Internals {
  readonly acks: ReadonlyMap<number, unknown>;
  readonly flags: object;
  readonly _preConnectSockets: ReadonlyMap<string, unknown>;
  readonly children: ReadonlySet<unknown>;
  readonly readyState: unknown;
  leaveAll(): void;
  onconnection(conn: unknown): unknown;
  ack(id: number): unknown;
}

/** A socket or a namespace, seen with its internals. */
export function internals(thing: object): Internals {
  return thing as Internals;
}

export interface Pair {
  client: ClientSocket;
  socket: Socket;
}

/** A client and its socket on the server, both connected. */
export async function pair(running: Running, options?: Mode, namespace = "/"): Promise<Pair> {
  const client = running.client(options, namespace);
  const [socket] = await Promise.all([next(running.io.of(namespace), "connection"), connected(client)]);
  return { client, socket: socket[0] as Socket };
}

/** Resolves when the client is connected, rejects with what it says otherwise. */
export function connected(client: ClientSocket): Promise<void> {
  if (client.connected) return Promise.resolve();
  const answer = new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  return within(answer, "the client to connect");
}

/** Resolves when the client's engine runs on WebSocket. */
export async function upgraded(client: ClientSocket): Promise<void> {
  const { engine } = client.io;
  if (engine.transport.name !== "websocket") await next(engine, "upgrade");
}

/** A round trip: whatever was sent before, in either direction, has arrived when it resolves. */
export async function settled(client: ClientSocket, socket: Socket): Promise<void> {
  const answer = next(client, "settled");
  socket.once("settle", () => socket.emit("settled"));
  client.emit("settle");
  await answer;
}

/** Resolves when a packet may be written at once: for long-polling, when a poll is parked. */
export async function writable(socket: Socket): Promise<void> {
  while (!socket.conn.transport.writable) await new Promise(setImmediate);
}

/** A WebSocket connection without any client library, its Engine.IO handshake taken off. */
export async function rawSession(running: Running): Promise<RawWebSocket> {
  const wire = await RawWebSocket.connect(running.port, "/socket.io/?EIO=4&transport=websocket");
  afterThisTest(() => wire.reset());
  await wire.next();
  return wire;
}

/** A raw WebSocket connection that has joined the namespace, and its socket on the server. */
export async function rawPair(
  running: Running,
  namespace = "/",
): Promise<{ wire: RawWebSocket; socket: Socket }> {
  const connection = next(running.io.of(namespace), "connection");
  const wire = await rawSession(running);
  wire.sendText(namespace === "/" ? "40" : `40${namespace},`);
  await wire.next();
  return { wire, socket: (await connection)[0] as Socket };
}
