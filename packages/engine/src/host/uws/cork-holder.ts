import { AsyncResource } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { clearTimeout, setImmediate, setTimeout } from "../timers.ts";
import { loadedUws } from "./load.ts";
import type { OwnUwsApp, Uws, UwsResponse } from "./types.ts";

/** How long to wait for the connection, in ms: something may stand between this process and itself. */
const PATIENCE = 1000;

/** How long no further attempt is made after one that failed, in ms. */
const PAUSE = 10_000;

/** The longest path of a unix socket that all systems accept, in bytes. */
const LONGEST_PATH = 100;

/**
 * A connection of the process to itself, which holds the one cork of uWebSockets.js while an upgrade completes late. An app of its own
 * accepts it, once: nobody else can connect, and neither routes nor statistics of the application see it. It is open while anybody
 * may need it, so that it does not keep the process alive.
 */
export class CorkHolder {
  readonly #load: () => Uws | Error;
  #app: OwnUwsApp | undefined = undefined;
  #client: Socket | undefined = undefined;
  /** Accepts no further connections. */
  #stopListening: (() => void) | undefined = undefined;
  /** What the client asks for, which others cannot know. */
  #url = "";
  /** Never answered. */
  #response: UwsResponse | undefined = undefined;
  #waiting: (() => void)[] = [];
  #patience: NodeJS.Timeout | undefined = undefined;
  #failedAt = -Infinity;
  #uses = 0;

  constructor(load: () => Uws | Error = loadedUws) {
    this.#load = load;
  }

  /** Whether nobody has to wait: the cork can be held, or it is known that it cannot. */
  get isSettled(): boolean {
    return this.#response !== undefined || performance.now() - this.#failedAt < PAUSE;
  }

  /** Keeps the connection open, if there is one, until as many calls of `release()`. */
  retain(): void {
    this.#uses++;
  }

  release(): void {
    if (--this.#uses === 0) this.#close();
  }

  /** Connects, unless that is done. Calls back at once if nobody has to wait. */
  whenSettled(callback: () => void): void {
    if (this.isSettled) {
      callback();
      return;
    }
    this.#waiting.push(AsyncResource.bind(callback));
    if (this.#client === undefined) this.#connect();
  }

  /** Runs the callback while the cork is held. Returns whether it was. */
  hold(callback: () => void): boolean {
    if (this.#response === undefined) return false;
    this.#response.cork(callback);
    return true;
  }

  #connect(): void {
    try {
      const uws = this.#load();
      if (uws instanceof Error) throw uws;
      this.#app ??= this.#serve(uws);
      const [client, listenSocket] = connectInFolder(this.#app) ?? connectOnLoopback(this.#app, uws);
      this.#stopListening = () => uws.us_listen_socket_close(listenSocket);
      this.#client = client;
      this.#url = `/${randomUUID()}`;
      client.on("error", (error) => this.#fail(error));
      client.write(`GET ${this.#url} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const timedOut = (): void => this.#fail(new Error(`nobody has answered for ${PATIENCE} ms`));
      this.#patience = setTimeout(timedOut, PATIENCE);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #serve(uws: Uws): OwnUwsApp {
    const app = uws.App();
    app.any("/*", (response, request) => this.#accept(response, request.getUrl()));
    return app;
  }

  #accept(response: UwsResponse, url: string): void {
    if (url !== this.#url || this.#response !== undefined) {
      response.close();
      return;
    }
    this.#response = response;
    response.onAborted(() => {
      this.#response = undefined;
      this.#close();
    });
    this.#settle();
  }

  #fail(error: Error): void {
    this.#failedAt = performance.now();
    warnOnce(error.message);
    this.#settle();
    this.#close();
  }

  /** Nobody waits any longer. Callbacks run outside of the handler of uWebSockets.js, which holds the cork for the wrong connection. */
  #settle(): void {
    this.#endAttempt();
    const waiting = this.#waiting;
    this.#waiting = [];
    setImmediate(() => {
      for (const callback of waiting) callback();
    });
  }

  #endAttempt(): void {
    clearTimeout(this.#patience);
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #close(): void {
    this.#endAttempt();
    const client = this.#client;
    const response = this.#response;
    this.#client = undefined;
    this.#response = undefined;
    this.#waiting = [];
    if (client !== undefined) drop(client);
    response?.close();
  }
}

type Connection = [client: Socket, listenSocket: unknown];

/** Connects over a unix socket, in a folder of this user alone. Returns nothing where that is not possible. */
function connectInFolder(app: OwnUwsApp): Connection | undefined {
  if (app.listen_unix === undefined || process.platform === "win32") return undefined;
  let folder: string;
  try {
    folder = mkdtempSync(path.join(tmpdir(), "tidewire-"));
  } catch {
    return undefined;
  }
  try {
    const file = path.join(folder, "cork");
    if (Buffer.byteLength(file) > LONGEST_PATH) return undefined;
    let listenSocket: unknown;
    app.listen_unix((result) => (listenSocket = result), file);
    // The kernel has connected both ends when this returns, and the file is of no further use.
    return listenSocket ? [connect(file), listenSocket] : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws Error if no port can be had */
function connectOnLoopback(app: OwnUwsApp, uws: Uws): Connection {
  let listenSocket: unknown;
  app.listen("127.0.0.1", 0, (result) => (listenSocket = result));
  if (!listenSocket) throw new Error("no port of 127.0.0.1 can be had");
  return [connect(uws.us_socket_local_port(listenSocket), "127.0.0.1"), listenSocket];
}

/** A reset leaves no port in TIME_WAIT. Unix sockets have none. */
function drop(client: Socket): void {
  if (client.remotePort === undefined) client.destroy();
  else client.resetAndDestroy();
}

let hasWarned = false;

function warnOnce(reason: string): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    `uWebSockets.js may close a WebSocket whose upgrade was decided late, because this process cannot connect to itself: ${reason}`,
    { type: "TidewireWarning", code: "TIDEWIRE_LATE_UPGRADE" },
  );
}
