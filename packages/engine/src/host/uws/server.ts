import { EventEmitter } from "node:events";
import { createServer } from "node:net";
import { CLOSE_GRACE } from "../host.ts";
import type { HttpServerLike } from "../host.ts";
import { serverNotRunning } from "../not-running.ts";
import { fixSettings, warnOfSetting } from "./fixed-settings.ts";
import type { AppTraits } from "./host.ts";
import type { OwnUwsApp, Uws, UwsApp } from "./types.ts";
import { clearTimeout, nextTick, setImmediate, setTimeout } from "../timers.ts";

/**
 * A uWebSockets.js app with the members of `http.Server` that applications use of `io.httpServer`: `listening`, `address()`,
 * `close()` and the events `listening`, `error` and `close`. An app that the application listens on itself has no address here.
 */
export class UwsHttpServer extends EventEmitter implements HttpServerLike {
  /** @internal */
  readonly app: UwsApp;
  /** @internal */
  readonly traits: AppTraits;
  #uws: Uws | undefined = undefined;
  #listenSocket: unknown = undefined;
  #port = 0;
  #state: "open" | "closing" | "closed" = "open";

  constructor(app: UwsApp, traits: AppTraits) {
    super();
    this.app = app;
    this.traits = traits;
  }

  get listening(): boolean {
    return this.#listenSocket !== undefined;
  }

  address(): { address: string; family: string; port: number } | null {
    return this.listening ? { address: "::", family: "IPv6", port: this.#port } : null;
  }

  /**
   * Binds at once; `listening` or `error` (`EADDRINUSE`, `EACCES`) is emitted soon after, as by node's server.
   *
   * @param reusePort - whether other processes may share the port; uWebSockets.js would always let them
   */
  listen(app: OwnUwsApp, uws: Uws, port: number, reusePort: boolean): this {
    this.#uws = uws;
    const listenSocket = bind(app, uws, port, reusePort ? 0 : uws.LIBUS_LISTEN_EXCLUSIVE_PORT);
    if (listenSocket) {
      this.#listenSocket = listenSocket;
      this.#port = uws.us_socket_local_port(listenSocket);
      nextTick(() => this.emit("listening"));
    } else {
      explainFailure(port, (error) => this.emit("error", error));
    }
    return this;
  }

  /** As on `http.Server`, whose timeout is one of the settings that uWebSockets.js does not have. */
  setTimeout(): this {
    warnOfSetting("setTimeout()");
    return this;
  }

  /** Accepts no more connections. Those that are open go on. */
  stopListening(): void {
    if (this.#listenSocket !== undefined) this.#uws?.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  /**
   * Stops listening at once, lets open requests and close frames finish for a second, then closes the app.
   *
   * @param callback - called at the end, as by Node with an error if the server was closed before
   */
  close(callback?: (error?: Error) => void): this {
    if (this.#state !== "open") {
      if (callback) this.#afterClose(() => callback(serverNotRunning()));
      return this;
    }
    this.#state = "closing";
    if (callback) this.once("close", callback);
    this.stopListening();
    const finish = (): void => {
      clearTimeout(timer);
      this.traits.activity.forget();
      // Keep-alive connections without a request, and whatever did not finish in time.
      this.app.close();
      this.#state = "closed";
      this.emit("close");
    };
    const timer = setTimeout(finish, CLOSE_GRACE);
    this.traits.activity.whenIdle(() => void setImmediate(finish));
    return this;
  }

  #afterClose(callback: () => void): void {
    if (this.#state === "closed") nextTick(callback);
    else this.once("close", callback);
  }
}

fixSettings(UwsHttpServer.prototype);

/** How often to look for another port when somebody takes the one that was just found. */
const ATTEMPTS = 10;

/**
 * Returns the listening socket, or nothing where the port is taken. For port 0 it finds a free port and then binds that one by
 * its number: uWebSockets.js sets no SO_REUSEADDR on port 0, and a server that starts again could not have the port while
 * connections of the first are in TIME_WAIT.
 */
function bind(app: OwnUwsApp, uws: Uws, port: number, options: number): unknown {
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

/** Binds the port with Node, which says why it fails; uWebSockets.js does not. */
function explainFailure(port: number, report: (error: Error) => void): void {
  const probe = createServer();
  probe.once("error", report);
  probe.listen({ port, exclusive: true }, () => {
    // The port has become free meanwhile.
    probe.close();
    const message = `listen EADDRINUSE: address already in use :::${port}`;
    report(Object.assign(new Error(message), { code: "EADDRINUSE", syscall: "listen", address: "::", port }));
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
