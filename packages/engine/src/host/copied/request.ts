import type { IncomingMessage } from "node:http";
import type { RequestHead, RequestSource, WebSocketPort } from "../host.ts";
import { asksForUpgrade } from "./head.ts";
import { createMessage } from "./message.ts";
import { CopiedSocket } from "./socket.ts";
import type { Droppable } from "./socket.ts";
import { nextTick } from "../timers.ts";

/** The copied head, and the `IncomingMessage` that is created from it on first use. */
export class CopiedRequest implements RequestSource {
  readonly head: RequestHead;
  /** The exchange until it is over, or the WebSocket that it has become. */
  #connection: Droppable | WebSocketPort | undefined;
  #message: IncomingMessage | undefined = undefined;

  constructor(head: RequestHead, exchange: Droppable) {
    this.head = head;
    this.#connection = exchange;
  }

  get message(): IncomingMessage {
    return (this.#message ??= toMessage(this.head, this));
  }

  /** For the socket: drops the connection, unless the request was answered; that of a WebSocket, too. */
  destroy(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if ("terminate" in connection) connection.terminate();
    else connection.destroy();
  }

  /** For the exchange: the request was answered. */
  answered(): void {
    this.#connection = undefined;
    // Nobody else may have read it to its end; it closes then.
    this.#message?.read();
  }

  /** For the exchange: it became a WebSocket. An `IncomingMessage` does not say so. */
  upgraded(port: WebSocketPort): void {
    this.#connection = port;
  }

  /** For the exchange: the client has gone before it was answered. */
  aborted(): void {
    this.#connection = undefined;
    const message = this.#message;
    if (message === undefined) return;
    message.socket.destroy();
    nextTick(() => message.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" })));
  }
}

/** The body is for the engine to read: to others the request looks like one that has been read. */
function toMessage(head: RequestHead, connection: Droppable): IncomingMessage {
  const { method, url, headers } = head;
  const rawHeaders: string[] = [];
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (typeof value === "string") rawHeaders.push(name, value);
    else for (const each of value) rawHeaders.push(name, each);
  }
  const upgrade = "sec-websocket-key" in headers && asksForUpgrade(headers.upgrade, headers.connection);
  const socket = new CopiedSocket(head, connection);
  const message = createMessage(socket, { method, url, httpVersion: "1.1", headers, rawHeaders, upgrade });
  message.push(null);
  message.readable = false;
  return message;
}
