// The members of a client that the tests use, in any version. Tests call a member that some versions lack only through
// `itWith()`.

export interface Emitter {
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
}

export interface EngineOfClient extends Emitter {
  id: string;
  readonly transport: { name: string };
  close(): unknown;
}

export interface Manager extends Emitter {
  readonly engine: EngineOfClient;
  socket(namespace: string, options?: object): Client;
}

/** A socket of `socket.io-client`. */
export interface Client extends Emitter {
  readonly id: string;
  readonly connected: boolean;
  readonly io: Manager;
  /** Since version 3. */
  readonly volatile: Client;
  /** Since version 4.6. */
  readonly recovered: boolean;
  emit(event: string, ...args: unknown[]): unknown;
  send(...args: unknown[]): unknown;
  open(): unknown;
  close(): unknown;
  /** Since version 3. */
  onAny(listener: (event: string, ...args: unknown[]) => void): unknown;
  /** Since version 4.4. */
  timeout(milliseconds: number): Client;
  /** Since version 4.6. */
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
}

/** The options that tests set; they mean the same in all versions. */
export interface ClientOptions {
  transports?: readonly string[];
  path?: string;
  query?: Record<string, string>;
  extraHeaders?: Record<string, string>;
  autoConnect?: boolean;
  forceNew?: boolean;
  reconnection?: boolean;
  reconnectionDelay?: number;
  reconnectionDelayMax?: number;
  reconnectionAttempts?: number;
  /** Since version 4.6. */
  retries?: number;
  /** Since version 4.6. */
  ackTimeout?: number;
}

/** Why a server refused a client. */
export interface Refusal {
  readonly message?: string;
  readonly data?: unknown;
}
