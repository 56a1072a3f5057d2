import { readFileSync } from "node:fs";
import { connect, createSecureServer } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, Http2SecureServer } from "node:http2";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, SecureServerOptions } from "node:http2";
import type { AddressInfo } from "node:net";
import { decodeFrame, encodeFrame, OPCODE } from "../wire/frames.ts";
import { Queue, within } from "../waiting/queue.ts";
import type { WireRequest, WireResponse } from "../wire/client.ts";

/** For the servers of these tests, and the clients that trust them. */
export const tls: { readonly cert: Buffer; readonly key: Buffer } = {
  cert: readFileSync(new URL("../tls/cert.pem", import.meta.url)),
  key: readFileSync(new URL("../tls/key.pem", import.meta.url)),
};

/** A client of HTTP/2: requests, and WebSockets on its streams, on one connection. */
export class Http2Client implements AsyncDisposable {
  readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  /** Resolves once the server's settings have arrived; they announce whether it accepts WebSockets. */
  static async connect(port: number): Promise<Http2Client> {
    const session = connect(`https://localhost:${port}`, { ca: tls.cert });
    session.on("error", () => {});
    await within(new Promise((resolve) => session.once("remoteSettings", resolve)), "the server's settings");
    return new Http2Client(session);
  }

  request(method: string, path: string, request: WireRequest = {}): Promise<WireResponse> {
    const { body, headers = {}, signal } = request;
    const stream = this.session.request({ ":method": method, ":path": path, ...headers }, { signal });
    stream.end(body);
    return whole(stream);
  }

  /** A WebSocket of extended CONNECT; rejects when the answer is not 200. */
  async websocket(path: string, headers: OutgoingHttpHeaders = {}): Promise<Http2WebSocket> {
    const stream = this.connect(path, headers);
    const response = await head(stream);
    if (response[":status"] !== 200) throw new Error(`refused with ${response[":status"]}`);
    return new Http2WebSocket(stream, response);
  }

  /** The whole response to a refused WebSocket. */
  refused(path: string, headers: OutgoingHttpHeaders = {}): Promise<WireResponse> {
    return whole(this.connect(path, headers));
  }

  connect(path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const connect = { ":method": "CONNECT", ":protocol": "websocket", ":path": path };
    return this.session.request({ ...connect, "sec-websocket-version": "13", ...headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
    await Promise.resolve();
  }
}

function head(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders & { ":status"?: number }> {
  const answered = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once("response", resolve).once("error", reject);
    stream.once("close", () => reject(new Error(`the stream was closed with ${stream.rstCode}`)));
  });
  return within(answered, "a response");
}

async function whole(stream: ClientHttp2Stream): Promise<WireResponse> {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => stream.once("end", resolve));
  const { ":status": status = 0, ...headers } = await head(stream);
  await within(ended, "the end of a response");
  const raw = Buffer.concat(chunks);
  return { status, headers, body: raw.toString(), raw };
}

/** A WebSocket client on a stream of HTTP/2. */
export class Http2WebSocket {
  readonly headers: IncomingHttpHeaders;
  readonly stream: ClientHttp2Stream;
  /** Resolves with the code of the server's close frame, 1005 without one in it, 1006 without a frame. */
  readonly closed: Promise<number>;
  readonly #messages: Queue<string | Buffer> = new Queue("a WebSocket message");
  #bytes: Buffer = Buffer.alloc(0);
  #code = 1006;

  constructor(stream: ClientHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream;
    this.headers = headers;
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.closed = within(
      new Promise((resolve) => stream.once("close", () => resolve(this.#code))),
      "the WebSocket to close",
      8000,
    );
    this.closed.catch(() => {});
  }

  next(): Promise<string | Buffer> {
    return this.#messages.next();
  }

  take(count: number): Promise<(string | Buffer)[]> {
    return this.#messages.take(count);
  }

  send(data: string | Buffer): void {
    const opcode = typeof data === "string" ? OPCODE.text : OPCODE.binary;
    this.stream.write(encodeFrame(opcode, Buffer.from(data as string)));
  }

  close(): void {
    this.stream.write(encodeFrame(OPCODE.close, Buffer.alloc(0)));
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const decoded = decodeFrame(this.#bytes);
      if (decoded === undefined) return;
      this.#bytes = this.#bytes.subarray(decoded.size);
      const { opcode, payload } = decoded.frame;
      if (opcode === OPCODE.text) this.#messages.push(payload.toString());
      if (opcode === OPCODE.binary) this.#messages.push(payload);
      if (opcode !== OPCODE.close) continue;
      this.#code = payload.length < 2 ? 1005 : payload.readUInt16BE();
      this.stream.end(encodeFrame(OPCODE.close, payload));
    }
  }
}

/** An HTTP/2 server with TLS that also accepts HTTP/1.1. `await using` ends its connections. */
export class Http2TestServer implements AsyncDisposable {
  readonly server: Http2SecureServer;
  readonly #sockets = new Set<{ destroy(): void }>();

  constructor(options: SecureServerOptions = {}) {
    this.server = createSecureServer({ ...tls, allowHTTP1: true, ...options }, (request, response) => {
      response.writeHead(404).end(`no ${request.url}`);
    });
    this.server.on("connection", (socket: { destroy(): void } & NodeJS.EventEmitter) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, resolve));
    return this;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    if (this.server.listening) await within(closed, "the server to close");
  }
}
