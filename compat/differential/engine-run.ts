// A run against an engine: `engine.io` or `@tidewire/engine`.
import { createServer } from "node:http";
import { Socket as EngineClient, type SocketOptions } from "engine.io-client";
import { WebSocketServer } from "ws";
import type { EngineOptions, Session } from "../../test/support/engine/types.ts";
import { openOldEngineClient, type OldEngineClient } from "../../test/support/server/old-clients.ts";
import { framed } from "../../test/support/engine/legacy-peers.ts";
import type { StartedEngine } from "../../test/support/engine/started-engine.ts";
import { listen } from "../../test/support/hosts/listening.ts";
import { NetworkClient } from "../../test/support/wire/network-client.ts";
import type { RawWebSocket } from "../../test/support/wire/raw-websocket.ts";
import { show } from "./recorder.ts";
import { Run, type HttpRequest } from "./run.ts";
import { startEngine, type Target } from "./targets.ts";

export class EngineRun extends Run {
  readonly engine: StartedEngine["engine"];
  /** In the order in which they connected. */
  readonly sessions: Session[] = [];
  readonly #started: StartedEngine;

  private constructor(target: Target, started: StartedEngine, path: string) {
    super(target, started.port, path);
    this.#started = started;
    this.engine = started.engine;
    this.afterwards(() => started.close());
    // the official engine loses track of a session if another one gets the same id, and does not close it
    this.afterwards(() => this.sessions.forEach((session) => session.close(true)));
    this.watchEngine(started.engine, (session, id) => this.#watch(session, id));
  }

  static async start(target: Target, options: EngineOptions = {}): Promise<EngineRun> {
    const started = await startEngine(target, options);
    return new EngineRun(target, started, new URL(started.path(""), started.url).pathname);
  }

  /** The session that was opened last. */
  get session(): Session {
    const session = this.sessions.at(-1);
    if (!session) throw new Error("no session");
    return session;
  }

  /** Opens a session over long-polling. */
  async polling(query: string = "", request?: HttpRequest): Promise<PollingSession> {
    await this.get(`${query}transport=polling`, request);
    return new PollingSession(this, this.session.id, query);
  }

  /** Opens a WebSocket that an application accepts on a server of its own, and hands over to the engine. */
  async handedOver(lane: string, query: string): Promise<RawWebSocket> {
    const sockets = new WebSocketServer({ noServer: true });
    const httpServer = createServer().on("upgrade", (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (websocket) => {
        this.engine.prepare(request);
        this.engine.onWebSocket(request, socket, websocket);
      });
    });
    const { port, stop } = await listen(httpServer);
    const http = new NetworkClient(port);
    this.afterwards(stop);
    this.afterwards(() => http.close());
    const socket = await this.ws(lane, query, {}, http);
    if (!socket) throw new Error(`${lane}: the WebSocket was refused`);
    return socket;
  }

  /** Opens the current official client; its events go to the lane. */
  client(lane: string, options: Partial<SocketOptions> = {}): EngineClient {
    const client = new EngineClient(this.#started.url, { path: this.url("").split("?")[0]!, ...options });
    client.on("open", () => this.note(lane, `open by ${client.transport.name}`));
    client.on("message", (data: unknown) => this.note(lane, "message", data));
    client.on("upgrade", ({ name }: { name: string }) => this.note(lane, `upgrade to ${name}`));
    client.on("upgradeError", (error: unknown) => this.note(lane, "upgradeError", describeError(error)));
    client.on("error", (error: unknown) => this.note(lane, "error", describeError(error)));
    client.on("close", (reason: string) => this.note(lane, `close: ${reason}`));
    this.afterwards(() => client.close());
    return client;
  }

  /** Opens the official client of protocol 3; its events go to the lane. */
  oldClient(lane: string, options: object = {}): OldEngineClient {
    const client = openOldEngineClient(this.#started.url, { path: this.url("").split("?")[0]!, ...options });
    client.on("open", () => this.note(lane, `open by ${client.transport.name}`));
    client.on("message", (data: unknown) => this.note(lane, "message", data));
    client.on("upgrade", ({ name }: { name: string }) => this.note(lane, `upgrade to ${name}`));
    client.on("error", (error: unknown) => this.note(lane, "error", describeError(error)));
    client.on("close", (reason: string) => this.note(lane, `close: ${reason}`));
    this.afterwards(() => client.close());
    return client;
  }

  #watch(session: Session, id: string): void {
    this.sessions.push(session);
    session.on("message", (data: unknown) => this.note("engine", `${id} message`, data));
    session.on("upgrading", ({ name }: { name: string }) =>
      this.note("engine", `${id} upgrading to ${name}`),
    );
    session.on("upgrade", ({ name }: { name: string }) => this.note("engine", `${id} upgrade to ${name}`));
    session.on("heartbeat", () => this.note("engine", `${id} heartbeat`));
    session.on("error", (error: unknown) => this.note("engine", `${id} error`, describeError(error)));
  }
}

/** The requests of a long-polling session. */
export class PollingSession {
  readonly sid: string;
  readonly query: string;
  readonly #run: EngineRun;

  constructor(run: EngineRun, sid: string, query: string) {
    this.#run = run;
    this.sid = sid;
    this.query = `${query}transport=polling&sid=${sid}`;
  }

  get websocketQuery(): string {
    return this.query.replace("transport=polling", "transport=websocket");
  }

  async poll(request?: HttpRequest): Promise<string> {
    return (await this.#run.get(this.query, request)).body;
  }

  async post(body: string | Buffer, request?: HttpRequest): Promise<void> {
    await this.#run.post(this.query, body, request);
  }

  /** Sends a poll that can stay pending; its response goes to the lane. */
  begin(lane: string, request: HttpRequest = {}): Promise<string> {
    return this.poll({ ...request, lane }).catch((error: Error) => {
      this.#run.note(lane, `failed: ${error.message}`);
      return "";
    });
  }

  /** Sends a poll, and resolves when it is pending on the server. */
  async park(lane: string = "parked", request?: HttpRequest): Promise<{ answer: Promise<string> }> {
    const answer = this.begin(lane, request);
    const { session } = this.#run;
    while (!session.transport.writable && session.readyState !== "closed") await new Promise(setImmediate);
    return { answer };
  }
}

/** The text payload of a protocol 3 client. */
export function oldPayload(...packets: string[]): string {
  return packets.map(framed).join("");
}

function describeError(error: unknown): string {
  const { message, type, description } = error as { message?: string; type?: string; description?: unknown };
  return show({ message, type, description: typeof description === "number" ? description : undefined });
}
