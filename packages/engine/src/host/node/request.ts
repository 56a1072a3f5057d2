import { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CollectedRequest } from "../copied/collected-exchange.ts";
import { addHeader, createMessage } from "../copied/message.ts";
import type { WholeHead } from "../host.ts";
import { keepConnection } from "./http2.ts";

/** The part of a request from which it can be restored. */
class Condensed {
  readonly socket: Socket;
  readonly httpVersion: string;
  /** Names and values in turn, one per line. */
  readonly rawHeaders: string;

  constructor({ socket, httpVersion, rawHeaders }: IncomingMessage) {
    this.socket = socket;
    this.httpVersion = httpVersion;
    this.rawHeaders = rawHeaders.join("\n");
  }
}

/** A request of node:http. */
export class NodeRequest implements CollectedRequest, WholeHead {
  readonly method: string;
  readonly url: string;
  readonly remoteAddress: string;
  readonly secure: boolean;
  #message: IncomingMessage | Condensed;
  #isSeen = false;

  constructor(message: IncomingMessage) {
    const { method = "GET", url = "/", socket } = message;
    this.method = method;
    this.url = url;
    this.secure = (socket as Partial<TLSSocket>).encrypted ?? false;
    this.remoteAddress = socket.remoteAddress ?? "";
    keepConnection(message, this.secure, this.remoteAddress);
    this.#message = message;
  }

  get head(): WholeHead {
    return this;
  }

  get message(): IncomingMessage {
    this.#isSeen = true;
    return this.#whole;
  }

  get headers(): IncomingHttpHeaders {
    return this.#whole.headers;
  }

  header(name: string): string | undefined {
    return this.headers[name] as string | undefined;
  }

  get #whole(): IncomingMessage {
    if (this.#message instanceof Condensed) this.#message = restored(this, this.#message);
    return this.#message;
  }

  /**
   * Keeps only what the request can be restored from, a third of its memory, if nobody has seen it yet. A session holds its
   * request until it ends.
   */
  condense(): void {
    const message = this.#message;
    if (this.#isSeen || message instanceof Condensed) return;
    // A server may have a class of its own for requests.
    if (message.constructor === IncomingMessage) this.#message = new Condensed(message);
  }
}

function restored(head: NodeRequest, { socket, httpVersion, rawHeaders: lines }: Condensed): IncomingMessage {
  const rawHeaders = lines.split("\n");
  const { server } = socket as { server?: { joinDuplicateHeaders?: boolean } };
  const headers: IncomingHttpHeaders = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    addHeader(headers, rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!, server?.joinDuplicateHeaders);
  }
  const { method, url } = head;
  return createMessage(socket, { method, url, httpVersion, headers, rawHeaders, upgrade: true });
}
