import { createServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Socket as Connection } from "node:net";
import * as uWS from "uWebSockets.js";
import { freePort } from "../../test/support/hosts/free-port.ts";
import { Queue, within } from "../../test/support/waiting/queue.ts";
import { afterThisTest } from "./after-test.ts";
import { serverHosts } from "../../test/support/server/hosts.ts";
import { listen, listenApp } from "./after-test.ts";
import { socketio } from "../../test/support/server/socketio.ts";
import type { Server, ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import type { Cell } from "./cell.ts";
import { front, Workers } from "./workers.ts";

export type CellHost = Cell["host"];

/** The hosts of this run, with their names in the table. */
export const cellHosts: readonly CellHost[] = serverHosts.map(({ name }) =>
  name === "node" ? "node" : "uws",
);

export interface RestartableOptions {
  server?: Partial<ServerOptions>;
  /** Called with each new server before clients connect. */
  prepare?: (io: Server) => void;
  /** Files that the server also serves, by path. */
  files?: ReadonlyMap<string, StaticFile>;
}

export interface StaticFile {
  type: string;
  body: string;
}

/** A server that can stop and restart on its port. It closes after the test that started it. */
export class RestartableServer {
  readonly host: CellHost;
  /** The sockets of the main namespace, in the order in which they connected. */
  readonly sockets: Queue<Socket> = new Queue("a connection");
  readonly #options: RestartableOptions;
  #port = 0;
  #io: Server | undefined;
  #apps: uWS.TemplatedApp[] = [];
  #cuts: (() => void)[] = [];
  #stopProxy: () => Promise<void> = async () => {};

  private constructor(host: CellHost, options: RestartableOptions) {
    this.host = host;
    this.#options = options;
  }

  static async start(host: CellHost, options: RestartableOptions = {}): Promise<RestartableServer> {
    const server = new RestartableServer(host, options);
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The current server. */
  get io(): Server {
    if (this.#io === undefined) throw new Error("The server is stopped");
    return this.#io;
  }

  /** The socket of the main namespace with this id. */
  socket(id: string): Socket {
    const socket = this.io.sockets.sockets.get(id);
    if (socket === undefined) throw new Error(`There is no socket ${id}`);
    return socket;
  }

  async stop(): Promise<void> {
    const { io } = this;
    this.#io = undefined;
    await this.#stopProxy();
    await closeAll(io, this.#cuts.splice(0));
    // the official server does not close the app
    for (const app of this.#apps.splice(0)) app.close();
  }

  async start(): Promise<void> {
    let io: Server;
    if (front === undefined) {
      const started = await this.#startOne(this.#port);
      ({ io, port: this.#port } = started);
    } else {
      const wished = this.#port === 0 ? undefined : this.#port;
      const shared = front === "port" ? (wished ?? (await freePort())) : 0;
      const workers = await Workers.start(front, (options) => this.#startOne(shared, options), wished);
      this.#port = workers.port;
      this.#stopProxy = workers.stop;
      ({ io } = workers);
    }
    this.#io = io;
    const [cuts, stopProxy] = [this.#cuts, this.#stopProxy];
    // the test may have closed it already
    afterThisTest(() =>
      within(
        stopProxy()
          .then(() => closeAll(io, cuts))
          .catch(() => {}),
        "the server to close",
      ),
    );
  }

  async #startOne(wished: number, further: object = {}): Promise<{ io: Server; port: number }> {
    // One that is still free when it starts again.
    const port = wished === 0 ? await freePort() : wished;
    const { prepare, files = new Map<string, StaticFile>() } = this.#options;
    const server = { ...this.#options.server, ...further };
    const http = this.host === "node" ? createServer(serve(files)) : undefined;
    const io = http === undefined ? new socketio.Server(server) : new socketio.Server(http, server);
    io.on("connection", (socket) => this.sockets.push(socket));
    if (http !== undefined) {
      prepare?.(io);
      this.#cuts.push(cutterOf(http));
      return { io, port: await listen(http, port, front === "port") };
    }
    const app = uWS.App();
    for (const [path, file] of files) {
      app.get(path, (response) => void response.writeHeader("content-type", file.type).end(file.body));
    }
    io.attachApp(app);
    // after attachApp(), because it creates the engine
    prepare?.(io);
    this.#apps.push(app);
    return { io, port: listenApp(app, port) };
  }
}

/** How long a server may take to close before its connections are destroyed, in milliseconds. */
const ORDERLY = 500;

/**
 * Closes a server. Browsers open connections in advance, and keep them when their page closes; node:http waits for those
 * without a request, so destroy them after a while.
 */
async function closeAll(io: Server, cuts: readonly (() => void)[]): Promise<void> {
  const impatience = setInterval(() => cuts.forEach((cut) => cut()), ORDERLY);
  await io.close().finally(() => clearInterval(impatience));
}

/** Returns a function that destroys the connections of an HTTP server, including WebSockets. */
function cutterOf(http: HttpServer): () => void {
  const sockets = new Set<Connection>();
  http.on("connection", (socket: Connection) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Answers requests for these files on node:http. */
export function serve(
  files: ReadonlyMap<string, StaticFile>,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const file = files.get(request.url ?? "");
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": file.type }).end(file.body);
  };
}
