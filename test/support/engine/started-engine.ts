import type { Server as HttpServer } from "node:http";
import type { CloseReason, ConnectionError, Engine, Session } from "./types.ts";
import { Queue, within } from "../waiting/queue.ts";
import type { WireClient } from "../wire/client.ts";

/** What a host returns once an engine runs on it. */
export interface EngineParts {
  engine: Engine;
  client: WireClient;
  port: number;
  path: string;
  httpServer: Pick<HttpServer, "listening" | "close"> | undefined;
  stop: () => Promise<void>;
}

/** A running engine with a client for it. `await using` closes both at the end of the test. */
export class StartedEngine implements AsyncDisposable {
  readonly engine: Engine;
  readonly client: WireClient;
  /** 0 on a host that has no port. */
  readonly port: number;
  readonly url: string;
  readonly httpServer: EngineParts["httpServer"];
  readonly #path: string;
  readonly #stop: () => Promise<void>;
  readonly #sessions = new Queue<Session>("a connection event");
  readonly #errors = new Queue<ConnectionError>("a connection_error event");
  readonly #closes = new WeakMap<Session, Promise<CloseReason>>();
  #stopped: Promise<void> | undefined;

  /** `observe: false` adds no listener to the engine and keeps no reference to sessions. */
  constructor(parts: EngineParts, observe: boolean) {
    this.engine = parts.engine;
    this.client = parts.client;
    this.port = parts.port;
    this.url = `http://localhost:${parts.port}`;
    this.httpServer = parts.httpServer;
    this.#path = parts.path;
    this.#stop = parts.stop;
    if (observe) {
      this.engine.on("connection", (session: Session) => {
        const closed = new Promise<CloseReason>((resolve) => {
          session.once("close", (reason: string, description: unknown) => resolve({ reason, description }));
        });
        this.#closes.set(session, closed);
        this.#sessions.push(session);
      });
      this.engine.on("connection_error", (error: ConnectionError) => this.#errors.push(error));
    }
  }

  /** The path of a request with `EIO=4` and the given query. */
  path(query: string): string {
    return `${this.#path}?EIO=4&${query}`;
  }

  nextSession(): Promise<Session> {
    return this.#sessions.next();
  }

  nextError(): Promise<ConnectionError> {
    return this.#errors.next();
  }

  /** A round trip outside the path of the engine: when it resolves, the server has read what others had sent before. */
  async read(): Promise<void> {
    await within(this.client.get("/"), "an answer");
  }

  /** connection_error events that no call of nextError() has taken. */
  get errors(): readonly ConnectionError[] {
    return this.#errors.pending;
  }

  /** Resolves with the reason once the session has closed, also if it has closed before. */
  closed(session: Session): Promise<CloseReason> {
    const closed = this.#closes.get(session);
    if (closed === undefined) {
      throw new Error("not a session of this engine");
    }
    return within(closed, "the session to close");
  }

  /** Ends clients, sessions and the listening socket; may be called again. */
  close(): Promise<void> {
    this.#stopped ??= this.#closeOnce();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeOnce(): Promise<void> {
    this.engine.close();
    this.client.close();
    await within(this.#stop(), "the host to stop listening");
  }
}
