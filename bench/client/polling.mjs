// Sessions over long-polling: HTTP requests, the handshake, and the upgrade to a WebSocket.
import { Connection } from "./connection.mjs";
import { clientFrame } from "./frames.mjs";
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

/** A TCP connection that is kept alive, for one request at a time. */
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
    // The workloads exchange only ASCII here.
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

const PATH = "/socket.io/?EIO=4&transport=polling";
const HANDSHAKE = request(PATH);
const PROBE = clientFrame("2probe");
const UPGRADE = clientFrame("5");

export const pathOf = (sid) => `${PATH}&sid=${sid}`;

/**
 * Opens a session and its root namespace.
 *
 * @param onOpen gets the sid, and the headers of the first response
 */
export function openSession(http, onOpen, onFailure) {
  http.send(HANDSHAKE, (handshake, head) => {
    const sid = /"sid":"([^"]+)"/.exec(handshake)?.[1];
    if (!handshake.startsWith("0{") || sid === undefined) {
      onFailure(new Error(`the handshake was answered with ${handshake}`));
      return;
    }
    http.send(request(pathOf(sid), "40"), (ok) => {
      if (ok !== "ok") onFailure(new Error(`a POST was answered with ${ok}`));
      http.send(request(pathOf(sid)), (connected) => {
        if (connected.startsWith("40{")) onOpen(sid, head);
        else onFailure(new Error(`the namespace was answered with ${connected}`));
      });
    });
  });
}

/**
 * A connection that starts on long-polling, and is open after its upgrade.
 *
 * @param upgradePort where the WebSocket connects
 */
export function upgrading(port, handlers, upgradePort = port) {
  let connection;
  const http = new HttpConnection(port, handlers.onFailure);

  function upgrade(sid) {
    let answered = false;
    let probed = false;
    const opened = () => {
      connection?.write(UPGRADE);
      http.destroy();
    };
    const socket = new Connection(upgradePort, handlers, {
      query: `&sid=${sid}`,
      first: PROBE,
      onText(_, text) {
        if (text !== "3probe") return undefined;
        probed = true;
        if (answered) opened();
        return answered;
      },
    });
    connection = socket;
    http.send(request(pathOf(sid)), (body) => {
      if (body !== "6") handlers.onFailure(new Error(`at the probe the poll was answered with ${body}`));
      answered = true;
      if (!probed) return;
      opened();
      socket.opened();
    });
  }

  openSession(http, upgrade, handlers.onFailure);
  return {
    destroy() {
      http.destroy();
      connection?.destroy();
    },
  };
}
