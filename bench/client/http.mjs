// Requests over one TCP connection that is kept alive, one at a time.
import net from "node:net";
import { readBuffer } from "./stream.mjs";

/**
 * A request's bytes.
 *
 * @param {string} path
 * @param {string} [body] makes it a POST
 * @returns {Buffer}
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
  /** @type {((body: string, head: string) => void) | undefined} */
  #onResponse;
  #onFailure;

  /**
   * @param {number} port
   * @param {(error: Error) => void} onFailure anything but a whole response with status 200
   */
  constructor(port, onFailure) {
    this.#onFailure = onFailure;
    this.#socket = net.connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#onRead(length);
          return true;
        },
      },
    });
    this.#socket.on("error", (error) => this.#fail(error.message));
    this.#socket.on("close", () => this.#fail("the server closed a connection for requests"));
  }

  /**
   * @param {Buffer} bytes of a request
   * @param {(body: string, head: string) => void} onResponse
   */
  send(bytes, onResponse) {
    if (this.#onResponse) throw new Error("the request before is not answered");
    this.#onResponse = onResponse;
    this.#socket.write(bytes);
  }

  destroy() {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** @param {number} length of what is in the read buffer */
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

  /** @param {string} message */
  #fail(message) {
    if (this.#closed) return;
    this.destroy();
    this.#onFailure(new Error(message));
  }
}
