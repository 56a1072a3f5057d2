import type { UwsResponse } from "./types.ts";

/**
 * The response to a request that waits for `100 Continue` before it sends its body, and spells that in a way that uWebSockets.js
 * does not know. uWebSockets.js writes one status line, which is used up for the 100; that of the answer is written in front of
 * its first header.
 */
export class ContinuedResponse implements UwsResponse {
  readonly #response: UwsResponse;
  #status: string | undefined = "200 OK";

  constructor(response: UwsResponse) {
    this.#response = response;
    response.writeStatus("100 Continue\r\n");
  }

  writeStatus(status: string): this {
    this.#status = status;
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.#writeStatusLine();
    this.#response.writeHeader(name, value);
    return this;
  }

  end(body?: string | Uint8Array, closeConnection?: boolean): this {
    this.#writeStatusLine();
    this.#response.end(body, closeConnection);
    return this;
  }

  tryEnd(body: Uint8Array, totalSize: number): [hasLeft: boolean, isDone: boolean] {
    this.#writeStatusLine();
    return this.#response.tryEnd(body, totalSize);
  }

  getWriteOffset(): number {
    return this.#response.getWriteOffset();
  }

  onWritable(handler: (offset: number) => boolean): this {
    this.#response.onWritable(handler);
    return this;
  }

  endWithoutBody(contentLength?: number, closeConnection?: boolean): this {
    this.#writeStatusLine();
    if (contentLength === undefined) this.#response.endWithoutBody();
    else this.#response.endWithoutBody(contentLength, closeConnection);
    return this;
  }

  onAborted(handler: () => void): this {
    this.#response.onAborted(handler);
    return this;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this {
    this.#response.onData(handler);
    return this;
  }

  cork(callback: () => void): this {
    this.#response.cork(callback);
    return this;
  }

  close(): this {
    this.#response.close();
    return this;
  }

  getRemoteAddress(): ArrayBuffer {
    return this.#response.getRemoteAddress();
  }

  getProxiedRemoteAddress(): ArrayBuffer {
    return this.#response.getProxiedRemoteAddress();
  }

  upgrade(): never {
    throw new Error("A request with a body cannot be a WebSocket handshake");
  }

  #writeStatusLine(): void {
    if (this.#status === undefined) return;
    // How long uWebSockets.js keeps an idle connection.
    this.#response.writeHeader(`HTTP/1.1 ${this.#status}\r\nKeep-Alive`, "timeout=10");
    this.#status = undefined;
  }
}
