import type { IncomingHttpHeaders } from "node:http";
import type { MemoryHost, MemoryResponse, MemoryWebSocket } from "@tidewire/engine";
import { Queue } from "../waiting/queue.ts";
import { BaseWireClient, UpgradeRefused } from "./client.ts";
import type { CloseEvent, WireClient, WireRequest, WireResponse, WireSocket } from "./client.ts";

export function connectInMemory(host: MemoryHost): WireClient {
  return new MemoryClient(host);
}

class MemoryClient extends BaseWireClient {
  readonly #host: MemoryHost;
  readonly #sockets = new Set<MemoryWireSocket>();
  readonly #calls = new Set<() => void>();

  constructor(host: MemoryHost) {
    super();
    this.#host = host;
  }

  override async request(method: string, path: string, request: WireRequest = {}): Promise<WireResponse> {
    const { signal, body, headers = {} } = request;
    const call = this.#host.request({ method, url: path, headers, ...(body === undefined ? {} : { body }) });
    const abort = (): void => call.abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#calls.add(abort);
    try {
      return whole(await call.response);
    } finally {
      this.#calls.delete(abort);
    }
  }

  override async websocket(path: string, request: WireRequest = {}): Promise<WireSocket> {
    const { headers = {}, signal } = request;
    let port: MemoryWebSocket;
    try {
      port = await this.#host.connect({ url: path, headers }, signal);
    } catch (error) {
      const response = (error as { response?: MemoryResponse }).response;
      throw response === undefined ? error : new UpgradeRefused(whole(response));
    }
    const socket = new MemoryWireSocket(port);
    this.#sockets.add(socket);
    void socket.closed.then(() => this.#sockets.delete(socket));
    return socket;
  }

  override close(): void {
    for (const abort of this.#calls) {
      abort();
    }
    for (const socket of this.#sockets) {
      socket.reset();
    }
  }
}

function whole({ status, headers, body }: MemoryResponse): WireResponse {
  const raw = Buffer.from(body);
  return { status, headers, body: raw.toString(), raw };
}

class MemoryWireSocket implements WireSocket {
  readonly headers: IncomingHttpHeaders;
  readonly closed: Promise<CloseEvent>;
  readonly #port: MemoryWebSocket;
  readonly #messages = new Queue<string | Buffer>("a WebSocket message");

  constructor(port: MemoryWebSocket) {
    this.#port = port;
    this.headers = port.headers;
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
