import cluster from "node:cluster";
import { EventEmitter } from "node:events";
import { createServer } from "node:net";
import type { HttpServerLike } from "../host.ts";
import type { UwsActivity } from "./host.ts";
import { fixSettings, warnOfSetting } from "./fixed-settings.ts";
import type { OwnUwsApp, Uws, UwsApp } from "./types.ts";
import { clearTimeout, nextTick, setImmediate, setTimeout } from "../timers.ts";

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

  /**
   * Binds at once; `listening` or `error` (`EADDRINUSE`, `EACCES`) is emitted soon after, as by node's server. In a worker of
   * `node:cluster` the port is shared among the workers.
   */
  listen(app: OwnUwsApp, uws: Uws, port: number): this {
    this.#uws = uws;
    const listenSocket = bind(app, uws, port);
    if (listenSocket) {
      this.#listenSocket = listenSocket;
      this.#port = uws.us_socket_local_port(listenSocket);
      nextTick(() => this.emit("listening"));
    } else {
      whyNot(port, (error) => this.emit("error", error));
    }
    return this;
  }

  /** As on `http.Server`, whose timeout is one of the settings that uWebSockets.js does not have. */
  setTimeout(): this {
    warnOfSetting("setTimeout()");
    return this;
  }

  /** Stops listening at once, lets what is under way finish, then closes every connection of the app. */
  close(callback?: (error?: Error) => void): this {
    if (this.#closed) {
      const error = Object.assign(new Error("Server is not running."), { code: "ERR_SERVER_NOT_RUNNING" });
      if (callback) nextTick(callback, error);
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

fixSettings(UwsHttpServer.prototype);

/** How often another port is asked for when somebody took the one that was just found. */
const ATTEMPTS = 10;

/**
 * The listening socket, or nothing where the port is taken. For port 0 a free number is found and then bound by that number:
 * what is bound to 0 itself gets no SO_REUSEADDR from uWebSockets.js, so that a server which starts again could not have the
 * port while connections of the first are in TIME_WAIT.
 */
function bind(app: OwnUwsApp, uws: Uws, port: number): unknown {
  // Exclusive: without it a taken port is silently shared. Workers of a cluster are meant to.
  const options = cluster.isWorker ? 0 : uws.LIBUS_LISTEN_EXCLUSIVE_PORT;
  if (port !== 0) return listenOn(app, port, options);
  for (let attempt = 1; ; attempt++) {
    const found = listenOn(app, 0, options);
    if (!found || attempt === ATTEMPTS) return found;
    const number = uws.us_socket_local_port(found);
    uws.us_listen_socket_close(found);
    const listenSocket = listenOn(app, number, options);
    if (listenSocket) return listenSocket;
  }
}

/** uWebSockets.js does not say why it could not bind a port; node, asked for the same, does. */
function whyNot(port: number, tell: (error: Error) => void): void {
  const probe = createServer();
  probe.once("error", tell);
  probe.listen({ port, exclusive: true }, () => {
    // Whoever had it has gone meanwhile.
    probe.close();
    const message = `listen EADDRINUSE: address already in use :::${port}`;
    tell(Object.assign(new Error(message), { code: "EADDRINUSE", syscall: "listen", address: "::", port }));
  });
}

/** Calls back before it returns. */
function listenOn(app: OwnUwsApp, port: number, options: number): unknown {
  let result: unknown;
  app.listen(port, options, (listenSocket) => {
    result = listenSocket;
  });
  return result;
}
