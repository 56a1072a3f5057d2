import type { IncomingHttpHeaders } from "node:http";

/** A whole HTTP response. */
export interface WireResponse {
  status: number;
  /** Names in lower case. */
  headers: IncomingHttpHeaders;
  /** The body read as UTF-8. */
  body: string;
  raw: Buffer;
}

export interface WireRequest {
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Aborting it cuts the connection under the request. */
  signal?: AbortSignal;
}

export interface CloseEvent {
  /** 1005: the close frame bore no code; 1006: there was no close frame. */
  code: number;
  reason: string;
}

/** A plain WebSocket client, without Engine.IO. */
export interface WireSocket {
  /** Headers of the response that accepted the upgrade. */
  readonly headers: IncomingHttpHeaders;
  sendText(text: string): void;
  sendBinary(data: Buffer): void;
  /** The next whole message; rejects once the connection has ended. */
  next(): Promise<string | Buffer>;
  take(count: number): Promise<(string | Buffer)[]>;
  /** Messages that have arrived and have not been taken. */
  readonly pending: readonly (string | Buffer)[];
  close(code?: number, reason?: string): void;
  readonly closed: Promise<CloseEvent>;
  /** Drops the connection without a close frame. */
  reset(): void;
}

/** Speaks to one server; the same suite runs over a network and in memory with it. */
export interface WireClient {
  request(method: string, path: string, request?: WireRequest): Promise<WireResponse>;
  get(path: string, request?: WireRequest): Promise<WireResponse>;
  post(path: string, body: string | Buffer, request?: WireRequest): Promise<WireResponse>;
  options(path: string, request?: WireRequest): Promise<WireResponse>;
  /** Rejects with UpgradeRefused when the server answers with anything but 101. */
  websocket(path: string, request?: WireRequest): Promise<WireSocket>;
  /** The response to an upgrade that must be refused. */
  refused(path: string, request?: WireRequest): Promise<WireResponse>;
  /** Cuts whatever is still open. */
  close(): void;
}

/** The server's answer to a WebSocket handshake that it did not accept. */
export class UpgradeRefused extends Error {
  readonly response: WireResponse;

  constructor(response: WireResponse) {
    super(`the upgrade was refused: ${response.status} ${response.body}`);
    this.response = response;
  }
}

/** What every client does alike, on top of `request` and `websocket`. */
export abstract class BaseWireClient implements WireClient {
  abstract request(method: string, path: string, request?: WireRequest): Promise<WireResponse>;
  abstract websocket(path: string, request?: WireRequest): Promise<WireSocket>;
  abstract close(): void;

  get(path: string, request?: WireRequest): Promise<WireResponse> {
    return this.request("GET", path, request);
  }

  post(path: string, body: string | Buffer, request: WireRequest = {}): Promise<WireResponse> {
    const headers = { "content-type": "text/plain;charset=UTF-8", ...request.headers };
    return this.request("POST", path, { ...request, body, headers });
  }

  options(path: string, request?: WireRequest): Promise<WireResponse> {
    return this.request("OPTIONS", path, request);
  }

  async refused(path: string, request?: WireRequest): Promise<WireResponse> {
    try {
      const socket = await this.websocket(path, request);
      socket.reset();
    } catch (error) {
      if (error instanceof UpgradeRefused) {
        return error.response;
      }
      throw error;
    }
    throw new Error("the upgrade was accepted");
  }
}
