/** What is needed of a connection of `pg`, version 8 or later. */
export interface PostgresConnection {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  on(event: "notification", listener: (message: PostgresNotification) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
}

export interface PostgresResult {
  readonly rows: readonly unknown[];
}

export interface PostgresNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** What is needed of a `Client`. */
export interface PostgresClient extends PostgresConnection {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
}

/** What is needed of a `Pool`. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
}

/** A client that the pool has lent. */
export interface PostgresPoolClient extends PostgresConnection {
  /** @param isBroken - whether the pool is to close it rather than lend it again */
  release(isBroken: boolean): void;
}

/** A client that is connected. */
export interface OpenClient {
  readonly client: PostgresConnection;
  /** Fulfilled once it is closed. */
  close(): Promise<unknown>;
}

/** Connects a new client. */
export type Connect = () => Promise<OpenClient>;

/** Borrows a client from a pool for as long as it lasts, and closes it: what it listens to would stay. */
export function fromPool(pool: PostgresPool): Connect {
  return async () => {
    const client = await pool.connect();
    return { client, close: async () => client.release(true) };
  };
}

/** Connects the clients that a function makes. */
export function fromFactory(make: () => PostgresClient): Connect {
  return async () => {
    const client = make();
    // What ends the connection before it is made rejects `connect()`, too.
    client.on("error", ignore);
    await client.connect();
    return { client, close: () => client.end() };
  };
}

function ignore(): void {}
