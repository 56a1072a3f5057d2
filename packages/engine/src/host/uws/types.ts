/**
 * The part of uWebSockets.js that Tidewire uses, as structural types: any `App` of the application fits, and nothing is imported
 * from a package that may not be installed.
 */
export interface UwsResponse {
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string, value: string): UwsResponse;
  end(body?: string | Uint8Array, closeConnection?: boolean): UwsResponse;
  tryEnd(body: Uint8Array, totalSize: number): [hasLeft: boolean, isDone: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
  endWithoutBody(contentLength?: number, closeConnection?: boolean): UwsResponse;
  onAborted(handler: () => void): UwsResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): UwsResponse;
  cork(callback: () => void): UwsResponse;
  close(): UwsResponse;
  getRemoteAddress(): ArrayBuffer;
  /** Empty unless the connection began with a header of the PROXY protocol, version 2. */
  getProxiedRemoteAddress(): ArrayBuffer;
  upgrade<UserData>(
    userData: UserData,
    key: string,
    protocol: string,
    extensions: string,
    context: unknown,
  ): void;
}

export interface UwsRequest {
  getMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
  getHeader(name: string): string;
  forEach(callback: (name: string, value: string) => void): void;
  /** Leaves the request to the next route that matches. */
  setYield(yields: boolean): void;
}

export interface UwsWebSocket<UserData> {
  getUserData(): UserData;
  send(data: string | Uint8Array, isBinary?: boolean, compress?: boolean): number;
  cork(callback: () => void): unknown;
  end(code?: number, reason?: string): void;
  close(): void;
  getBufferedAmount(): number;
  getRemoteAddress(): ArrayBuffer;
}

export interface UwsWebSocketBehavior<UserData> {
  compression?: number;
  maxPayloadLength?: number;
  maxBackpressure?: number;
  closeOnBackpressureLimit?: boolean;
  idleTimeout?: number;
  sendPingsAutomatically?: boolean;
  upgrade?(response: UwsResponse, request: UwsRequest, context: unknown): void;
  open?(socket: UwsWebSocket<UserData>): void;
  message?(socket: UwsWebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void;
  ping?(socket: UwsWebSocket<UserData>, message: ArrayBuffer): void;
  drain?(socket: UwsWebSocket<UserData>): void;
  close?(socket: UwsWebSocket<UserData>, code: number, message: ArrayBuffer): void;
}

/**
 * The part of a uWebSockets.js `App` or `SSLApp` that a host needs.
 *
 * @example
 * import { App } from "uWebSockets.js";
 *
 * io.attachApp(App());
 */
export interface UwsApp {
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): unknown;
  ws<UserData>(pattern: string, behavior: UwsWebSocketBehavior<UserData>): unknown;
  close(): unknown;
}

/** An app that Tidewire creates, and listens on. */
export interface OwnUwsApp extends UwsApp {
  listen(port: number, options: number, callback: (listenSocket: unknown) => void): unknown;
  listen(host: string, port: number, callback: (listenSocket: unknown) => void): unknown;
  /** Only recent versions have it. */
  listen_unix?(callback: (listenSocket: unknown) => void, path: string): unknown;
}

/** The module itself. */
export interface Uws {
  App(options?: object): OwnUwsApp;
  us_listen_socket_close(listenSocket: unknown): void;
  us_socket_local_port(listenSocket: unknown): number;
  LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}
