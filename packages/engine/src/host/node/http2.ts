import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { OutgoingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { setImmediate } from "../timers.ts";

/** A server of node:http, node:https or node:http2. */
export type NodeServer = HttpServer | Http2Server | Http2SecureServer;

/** Answers a WebSocket upgrade as over HTTP/1.1: the response is written into the socket. */
export type TakeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export function isHttp2(server: NodeServer): server is Http2Server | Http2SecureServer {
  return "updateSettings" in server;
}

/**
 * Takes WebSockets on streams of HTTP/2 (RFC 8441, extended CONNECT), which browsers open where a server says that it has
 * them. The request is given the form that it has over HTTP/1.1, and so is the stream until it was answered: from there on
 * both go the same way.
 */
export function attachExtendedConnect(
  server: Http2Server | Http2SecureServer,
  path: string,
  take: TakeUpgrade,
): void {
  server.updateSettings({ enableConnectProtocol: true });
  const emitter: NodeJS.EventEmitter = server;
  const others = emitter.listeners("connect");
  emitter.removeAllListeners("connect");
  emitter.on("connect", (request: Http2ServerRequest, response: Http2ServerResponse | Duplex, ...rest) => {
    if (request.headers[":protocol"] === "websocket" && request.url.startsWith(path)) {
      take(asUpgradeRequest(request), asUpgradeSocket(request.stream), Buffer.alloc(0));
    } else if (others.length > 0) {
      for (const other of others) (other as ConnectListener).call(server, request, response, ...rest);
    } else if (emitter.listenerCount("connect") === 1) {
      refuse(response);
    }
  });
}

type ConnectListener = (
  this: Http2Server | Http2SecureServer,
  request: Http2ServerRequest,
  response: Http2ServerResponse | Duplex,
  ...rest: unknown[]
) => void;

/** As Node does without listeners: 405 over HTTP/2, no answer over HTTP/1.1. */
function refuse(response: Http2ServerResponse | Duplex): void {
  if ("statusCode" in response) {
    response.statusCode = 405;
    // Nobody reads what the client sends behind it. Node 22 drops an answer that it has not written yet when a stream is reset.
    response.end(() => setImmediate(() => response.stream.close()));
  } else {
    response.destroy();
  }
}

/** 16 bytes; over HTTP/2 there is no such handshake, and the answer to it is not sent. */
const ANY_KEY = "AAAAAAAAAAAAAAAAAAAAAA==";

function asUpgradeRequest(request: Http2ServerRequest): IncomingMessage {
  Object.assign(request, { method: "GET" });
  Object.assign(request.headers, {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-key": ANY_KEY,
  });
  return request as unknown as IncomingMessage;
}

/** Takes a response of HTTP/1.1 first, which leaves as one of HTTP/2; then it is the stream as it was. */
function asUpgradeSocket(stream: ServerHttp2Stream): Duplex {
  /** Sends the head, and gives back what stands behind it. */
  const respond = (response: string | Buffer): Buffer => {
    Reflect.deleteProperty(stream, "write");
    Reflect.deleteProperty(stream, "end");
    const bytes = typeof response === "string" ? Buffer.from(response, "latin1") : response;
    const headEnd = bytes.indexOf("\r\n\r\n");
    if (headEnd === -1 || stream.destroyed || stream.closed) return Buffer.alloc(0);
    stream.respond(headersOf(bytes.toString("latin1", 0, headEnd)));
    return bytes.subarray(headEnd + 4);
  };
  const write = (response: string | Buffer): boolean => {
    const rest = respond(response);
    return rest.length === 0 || stream.write(rest);
  };
  // Without a response, Node ends a stream that the client has reset.
  const end = (response: string | Buffer = ""): Duplex => {
    const body = respond(response);
    return body.length === 0 ? stream.end() : stream.end(body);
  };
  return Object.assign(stream, { write, end });
}

/** What belongs to a connection of HTTP/1.1 or to its way of upgrading. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "sec-websocket-accept",
  "transfer-encoding",
  "upgrade",
]);

function headersOf(head: string): OutgoingHttpHeaders {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  const headers: OutgoingHttpHeaders = { ":status": status === 101 ? 200 : status };
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (CONNECTION_HEADERS.has(name)) continue;
    const value = line.slice(colon + 1).trim();
    const existing = headers[name];
    if (existing === undefined) headers[name] = value;
    else headers[name] = Array.isArray(existing) ? [...existing, value] : [String(existing), value];
  }
  return headers;
}

/**
 * Makes the socket of a request keep what sessions ask it later. Over HTTP/2 it is asked through the stream, which knows
 * nothing of its connection once it has ended.
 */
export function keepConnection(request: IncomingMessage, secure: boolean, remoteAddress: string): void {
  if (!("stream" in request)) return;
  const socket: unknown = Object.create(request.socket, {
    encrypted: { value: secure },
    remoteAddress: { value: remoteAddress },
  });
  Object.defineProperties(request, { socket: { value: socket }, connection: { value: socket } });
}

/** The open connections of a server: Node's `close()` waits for them without a limit. */
export class Http2Connections {
  readonly #sessions: Set<ServerHttp2Session> = new Set();

  watch(server: Http2Server | Http2SecureServer): void {
    server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
  }

  /** Ends each after its open requests. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}
