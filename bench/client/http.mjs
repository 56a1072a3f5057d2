// Requests over one TCP connection that is kept alive, one at a time.
import { connect, readBuffer } from "./stream.mjs";

/**
 * A request's bytes.
 *
 * @param body makes it a POST
 */
export function request(path, body) {
  const head = `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
  if (body === undefined) return Buffer.from(`${head}\r\n`);
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `${head}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
}

const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)\r\n/i;

export class HttpConnection {
  #socket;
  #closed = false;
  #rest = "";
  #onResponse;
  #onFailure;

  /** @param onFailure anything but a whole response with status 200 */
  constructor(port, onFailure) {
    this.#onFailure = onFailure;
    this.#socket = connect(
      port,
      (length) => this.#onRead(length),
      (reason) => this.#fail(reason),
    );
  }

  /** @param bytes of a request */
  send(bytes, onResponse) {
    if (this.#onResponse) throw new Error("the request before is not answered");
    this.#onResponse = onResponse;
    this.#socket.write(bytes);
  }

  destroy() {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** @param length of what is in the read buffer */
  #onRead(length) {
    if (this.#closed) return;
    // Everything that the workloads exchange here is ASCII.
    const data = this.#rest + readBuffer.toString("latin1", 0, length);
    this.#rest = "";
    const end = data.indexOf("\r\n\r\n");
    if (end === -1) {
      this.#rest = data;
      return;
    }
    const head = data.slice(0, end + 2);
    const found = CONTENT_LENGTH.exec(head);
    if (!head.startsWith("HTTP/1.1 200 ") || found === null) {
      this.#fail(`a request was answered with ${JSON.stringify(data.slice(0, 400))}`);
      return;
    }
    const start = end + 4;
    const stop = start + Number(found[1]);
    if (data.length < stop) {
      this.#rest = data;
      return;
    }
    const onResponse = this.#onResponse;
    this.#onResponse = undefined;
    if (data.length > stop || onResponse === undefined) {
      this.#fail(`a response came that nobody asked for: ${JSON.stringify(data.slice(0, 400))}`);
      return;
    }
    onResponse(data.slice(start, stop), head);
  }

  #fail(message) {
    if (this.#closed) return;
    this.destroy();
    this.#onFailure(new Error(message));
  }
}
