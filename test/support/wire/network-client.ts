import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { within } from "../waiting/queue.ts";
import { RawWebSocket } from "./raw-websocket.ts";
import { BaseWireClient, type WireRequest, type WireResponse } from "./client.ts";

/** Speaks to a port of this machine, one connection per request. */
export class NetworkClient extends BaseWireClient implements Disposable {
  readonly port: number;
  readonly #sockets = new Set<RawWebSocket>();
  readonly #aborter = new AbortController();

  constructor(port: number) {
    super();
    this.port = port;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  override request(method: string, path: string, request: WireRequest = {}): Promise<WireResponse> {
    const signals = request.signal === undefined ? [] : [request.signal];
    const signal = AbortSignal.any([this.#aborter.signal, ...signals]);
    const { body, headers = {} } = request;
    return new Promise((resolve, reject) => {
      const options = { method, path, headers, signal, port: this.port, host: "127.0.0.1", agent: false };
      const req = httpRequest(options, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () => {
          const raw = Buffer.concat(chunks);
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: raw.toString(), raw });
        });
      });
      req.on("error", reject);
      req.end(body);
    });
  }

  override async websocket(path: string, request?: WireRequest): Promise<RawWebSocket> {
    const socket = await RawWebSocket.connect(this.port, path, request);
    this.#sockets.add(socket);
    void socket.closed.then(() => this.#sockets.delete(socket));
    return socket;
  }

  override close(): void {
    this.#aborter.abort();
    for (const socket of this.#sockets) {
      socket.reset();
    }
  }
}

/** Writes the bytes on a new connection and gives back all that comes until the server hangs up. */
export function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const answered = new Promise<string>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
    socket.write(bytes);
  });
  return within(answered, "the server to answer and hang up");
}

/** Writes the bytes on a new connection, gives back the first read that comes, and hangs up; empty if the server does first. */
export function firstAnswer(port: number, bytes: string | Buffer): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.once("data", (chunk: Buffer) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once("close", () => resolve(""));
    socket.write(bytes);
  });
  return within(answer, "the server to answer");
}

/** True when nothing accepts connections on the port. */
export function isClosed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}

/** A POST of which the server has the head and some of the body, but not the end. */
export class HalfPost {
  /** The first bytes of an answer; stays pending when the server hangs up without one. */
  readonly answer: Promise<string>;
  readonly closed: Promise<void>;
  readonly #socket: Socket;

  constructor(port: number, path: string) {
    const socket = connect({ port, host: "127.0.0.1" });
    this.#socket = socket;
    this.answer = new Promise((resolve) => {
      socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => resolve());
    });
    socket.on("error", () => {});
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 100\r\n`;
    socket.write(`${head}Content-Type: text/plain;charset=UTF-8\r\n\r\n4half`);
  }

  abort(): void {
    this.#socket.destroy();
  }
}
