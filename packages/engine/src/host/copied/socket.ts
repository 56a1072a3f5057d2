import { Socket } from "node:net";
import type { RequestHead } from "../host.ts";
import { nextTick } from "../timers.ts";

type Done = (error?: Error) => void;

/** Owns a connection, and can drop it. */
export interface Droppable {
  destroy(): void;
}

/** Takes a chunk that a response writes. */
export type Output = (chunk: string | Uint8Array, encoding: BufferEncoding) => void;

/**
 * The `socket` of a request on a host without Node's own. It has the address of the client, hands what a response writes to
 * `output`, and drops the connection when it is destroyed. Nothing is read from it.
 */
export class CopiedSocket extends Socket {
  override readonly remoteAddress: string;
  override readonly remoteFamily: string;
  readonly encrypted: boolean;
  output: Output | undefined = undefined;
  readonly #connection: Droppable;

  constructor({ remoteAddress, secure }: RequestHead, connection: Droppable) {
    super();
    this.remoteAddress = remoteAddress;
    this.remoteFamily = remoteAddress.includes(":") ? "IPv6" : "IPv4";
    this.encrypted = secure;
    this.#connection = connection;
    // As the HTTP server of Node does: `request.destroy(error)` must not end the process.
    this.on("error", ignore);
  }

  /** Over TLS, whether the client has shown a certificate. Hosts do not ask for one. */
  get authorized(): boolean | undefined {
    return this.encrypted ? false : undefined;
  }

  /** That of a client that has shown none. */
  getPeerCertificate(): object {
    return {};
  }

  /** Does nothing: traffic of the connection does not pass here, so it would always seem idle. */
  override setTimeout(): this {
    return this;
  }

  override _read(): void {}

  /** Past the stream, which would only hold the bytes back for a tick. */
  override write(chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean {
    const isNamed = typeof encoding === "string";
    this.output?.(chunk, isNamed ? encoding : "utf8");
    const callback = isNamed ? done : (encoding ?? done);
    if (callback) nextTick(callback);
    return true;
  }

  override cork(): void {}

  override uncork(): void {}

  override end(): this {
    return this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.output = undefined;
    this.#connection.destroy();
    super._destroy(error, done);
  }
}

function ignore(): void {}
