import { EventEmitter } from "node:events";
import type { HttpServerLike } from "../host.ts";
import type { UwsActivity } from "./host.ts";
import type { OwnUwsApp, Uws, UwsApp } from "./types.ts";

/** How long closing waits for the last responses and close frames, in ms. */
const GRACE = 1000;

/**
 * `http.Server` as far as applications use `io.httpServer`, over a uWebSockets.js app: `listening`, `address()`, `close()` and
 * the events `listening`, `error` and `close`. An app that the application listens on itself has no address here.
 */
export class UwsHttpServer extends EventEmitter implements HttpServerLike {
  readonly #app: UwsApp;
  readonly #activity: UwsActivity;
  #uws: Uws | undefined = undefined;
  #listenSocket: unknown = undefined;
  #port = 0;
  #closed = false;

  constructor(app: UwsApp, activity: UwsActivity) {
    super();
    this.#app = app;
    this.#activity = activity;
  }

  get listening(): boolean {
    return this.#listenSocket !== undefined;
  }

  address(): { address: string; family: string; port: number } | null {
    return this.listening ? { address: "::", family: "IPv6", port: this.#port } : null;
  }

  /** Binds at once; `listening` or `error` (`EADDRINUSE`) is emitted on the next tick, as node's server does. */
  listen(app: OwnUwsApp, uws: Uws, port: number): this {
    this.#uws = uws;
    // Exclusive: without it a taken port is silently shared.
    app.listen(port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (listenSocket) => {
      if (listenSocket) {
        this.#listenSocket = listenSocket;
        this.#port = uws.us_socket_local_port(listenSocket);
        process.nextTick(() => this.emit("listening"));
      } else {
        const error = Object.assign(new Error(`listen EADDRINUSE: address already in use :::${port}`), {
          code: "EADDRINUSE",
          syscall: "listen",
          address: "::",
          port,
        });
        process.nextTick(() => this.emit("error", error));
      }
    });
    return this;
  }

  /** Stops listening at once, lets what is under way finish, then closes every connection of the app. */
  close(callback?: (error?: Error) => void): this {
    if (this.#closed) {
      const error = Object.assign(new Error("Server is not running."), { code: "ERR_SERVER_NOT_RUNNING" });
      if (callback) process.nextTick(callback, error);
      return this;
    }
    this.#closed = true;
    if (callback) this.once("close", callback);
    if (this.#listenSocket !== undefined) this.#uws?.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
    const finish = (): void => {
      clearTimeout(timer);
      this.#activity.onIdle = undefined;
      // Keep-alive connections without a request, and what did not finish in time.
      this.#app.close();
      this.emit("close");
    };
    const timer = setTimeout(finish, GRACE);
    if (this.#activity.open === 0) setImmediate(finish);
    else this.#activity.onIdle = (): void => void setImmediate(finish);
    return this;
  }
}
