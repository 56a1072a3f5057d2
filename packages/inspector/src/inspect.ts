import { Server as Engine } from "@tidewire/engine";
import { internals, Server } from "@tidewire/server";
import type { Inspector, InspectorOptions } from "@tidewire/server";
import { Gate } from "./access/gate.ts";
import { Tokens } from "./access/tokens.ts";
import { createError } from "./errors.ts";
import { resolveOptions } from "./options.ts";
import type { ResolvedOptions } from "./options.ts";
import { PageRequests } from "./page-requests.ts";
import { greetingOf } from "./watching/overview.ts";
import { Watch } from "./watching/watch.ts";

/** How many pages may be open at a time. */
const MAX_WATCHERS = 20;
/** What a page may send at once, in bytes. */
const MAX_MESSAGE = 100_000;

/** How many connections an address may have. */
const limits = { connectionsPerIp: 100, handshakesPerSecond: { rate: 20, burst: 100 } };

type HttpServer = NonNullable<Engine["httpServer"]>;

/**
 * The page, on a path of its own of the HTTP server, and with an engine of its own: options, middlewares, limits, adapters and
 * statistics of the application are not those of the page, and do not count it.
 */
class PageServer implements Inspector, internals.AttachmentListener {
  readonly path: string;
  readonly #view: internals.ServerView;
  readonly #gate: Gate;
  readonly #requests: PageRequests;
  readonly #watch: Watch;
  /** Accepts the connections of the page. */
  readonly #io: Server = new Server({ cluster: false, serveClient: false, connectTimeout: 5000 });
  /** Its engine on each HTTP server: one for all times that the application attaches to it. */
  readonly #engines: Map<HttpServer, Engine> = new Map();

  constructor(io: Server, { path, auth, readonly }: ResolvedOptions) {
    this.path = path;
    this.#view = internals.viewOf(io);
    const [own, other] = [`${path}/`, `${this.#view.path}/`];
    if (own.startsWith(other) || other.startsWith(own)) throw createError("PATH_IN_USE");
    this.#gate = new Gate(auth, this.#view.trustProxy);
    // Workers that share a port have the same credentials, and so the same secret.
    const isShared = typeof auth === "object";
    const tokens = new Tokens(isShared ? JSON.stringify([auth.username, auth.password]) : undefined);
    this.#requests = new PageRequests(path, this.#gate, tokens);
    const greeting = () => greetingOf(readonly, this.#hostName);
    this.#watch = new Watch({ io, view: this.#view, readonly, greeting });
    this.#io.use(({ handshake }, next) => {
      if (!tokens.isValid(handshake.auth["token"])) next(refusal("UNAUTHORIZED"));
      else next(this.#watch.size < MAX_WATCHERS ? undefined : refusal("TOO_MANY_WATCHERS"));
    });
    this.#io.on("connection", (socket) => this.#watch.add(socket));
    this.#view.attachments.add(this);
    if (this.#engines.size === 0 && this.#view.attachments.size > 0) {
      this.#view.attachments.remove(this);
      throw createError("NO_HTTP_SERVER");
    }
  }

  get watchers(): number {
    return this.#watch.size;
  }

  get #hostName(): string {
    const [server] = this.#engines.keys();
    // Servers of Node cannot.
    return server?.stopListening !== undefined ? "uWebSockets.js" : "node:http";
  }

  attached(engine: object): void {
    const server = (engine as Partial<Engine>).httpServer;
    if (server === undefined) return;
    const own = this.#engines.get(server);
    if (own === undefined) this.#engines.set(server, this.#serve(server));
    else own.startAgain();
  }

  #serve(server: HttpServer): Engine {
    const { trustProxy } = this.#view;
    const engine = new Engine({
      maxHttpBufferSize: MAX_MESSAGE,
      // Those who have no token are connected for a few seconds, too.
      limits: { ...limits, ...(trustProxy === undefined ? {} : { trustProxy }) },
      allowRequest: (request, decide) => {
        void this.#gate.admits(request).then((isAdmitted) => decide(null, isAdmitted));
      },
    });
    engine.intercept((exchange) => this.#requests.intercept(exchange));
    engine.attach(server as Parameters<Engine["attach"]>[0], {
      path: this.path,
      addTrailingSlash: false,
      destroyUpgrade: false,
    });
    this.#io.bind(engine);
    return engine;
  }

  /** The server closes: open pages would keep it from that. */
  detached(): void {
    for (const engine of this.#engines.values()) {
      engine.shutDown();
      engine.close();
    }
  }

  close(): void {
    this.#view.attachments.remove(this);
    this.detached();
    // A page that is served on this path later would share the upgrades with this one.
    for (const [server, engine] of this.#engines) engine.detach(server as Parameters<Engine["detach"]>[0]);
  }
}

function refusal(code: "UNAUTHORIZED" | "TOO_MANY_WATCHERS"): Error {
  const error = createError(code);
  return Object.assign(error, { data: { code } });
}

/**
 * Serves the page of a server: the same as `io.inspect()`, for applications that are bundled into one file.
 *
 * @throws TypeError (`INVALID_OPTION`) for an invalid option; Error (`PATH_IN_USE`) for the path of the server; Error
 * (`NO_HTTP_SERVER`) if it is bound to an engine in memory
 *
 * @example
 * import { inspect } from "@tidewire/inspector";
 *
 * inspect(io, { auth: { username: "ops", password: process.env.INSPECTOR_PASSWORD } });
 */
export function inspect(io: object, options: InspectorOptions = {}): Inspector {
  return new PageServer(io as Server, resolveOptions(options));
}
