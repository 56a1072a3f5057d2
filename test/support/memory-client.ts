import type { IncomingHttpHeaders } from "node:http";
import { Queue } from "./queue.ts";
import { BaseWireClient, UpgradeRefused } from "./wire.ts";
import type { CloseEvent, WireClient, WireRequest, WireResponse, WireSocket } from "./wire.ts";

export interface MemoryRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal;
}

export interface MemoryResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: string | Buffer;
}

/** The in-process host of the engine, as far as a client sees it. */
export interface MemoryHostLike {
  request(request: MemoryRequest): Promise<MemoryResponse>;
  connect(request: Omit<MemoryRequest, "method" | "body">): Promise<MemorySocketLike>;
}

export interface MemorySocketLike {
  readonly headers?: IncomingHttpHeaders;
  send(data: string | Buffer): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  onmessage: ((data: string | Buffer) => void) | null;
  onclose: ((code: number, reason: string) => void) | null;
}

export function connectInMemory(host: MemoryHostLike): WireClient {
  return new MemoryClient(host);
}

class MemoryClient extends BaseWireClient {
  readonly #host: MemoryHostLike;
  readonly #sockets = new Set<MemoryWireSocket>();
  readonly #aborter = new AbortController();

  constructor(host: MemoryHostLike) {
    super();
    this.#host = host;
  }

  override async request(method: string, path: string, request: WireRequest = {}): Promise<WireResponse> {
    const signals = request.signal === undefined ? [] : [request.signal];
    const signal = AbortSignal.any([this.#aborter.signal, ...signals]);
    return whole(await this.#host.request({ method, url: path, ...request, signal }));
  }

  override async websocket(path: string, request: WireRequest = {}): Promise<WireSocket> {
    const { headers = {}, signal } = request;
    let port: MemorySocketLike;
    try {
      port = await this.#host.connect({ url: path, headers, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      throw isResponse(error) ? new UpgradeRefused(whole(error)) : error;
    }
    const socket = new MemoryWireSocket(port);
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

function isResponse(value: unknown): value is MemoryResponse {
  return typeof value === "object" && value !== null && "status" in value && "body" in value;
}

function whole({ status, headers, body }: MemoryResponse): WireResponse {
  const raw = Buffer.from(body);
  return { status, headers, body: raw.toString(), raw };
}

class MemoryWireSocket implements WireSocket {
  readonly headers: IncomingHttpHeaders;
  readonly closed: Promise<CloseEvent>;
  readonly #port: MemorySocketLike;
  readonly #messages = new Queue<string | Buffer>("a WebSocket message");

  constructor(port: MemorySocketLike) {
    this.#port = port;
    this.headers = port.headers ?? {};
    port.onmessage = (data) => this.#messages.push(data);
    this.closed = new Promise((resolve) => {
      port.onclose = (code, reason) => {
        this.#messages.end(new Error(`the WebSocket was closed with ${code}`));
        resolve({ code, reason });
      };
    });
  }

  get pending(): readonly (string | Buffer)[] {
    return this.#messages.pending;
  }

  next(): Promise<string | Buffer> {
    return this.#messages.next();
  }

  take(count: number): Promise<(string | Buffer)[]> {
    return this.#messages.take(count);
  }

  sendText(text: string): void {
    this.#port.send(text);
  }

  sendBinary(data: Buffer): void {
    this.#port.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#port.close(code, reason);
  }

  reset(): void {
    this.#port.terminate();
  }
}
