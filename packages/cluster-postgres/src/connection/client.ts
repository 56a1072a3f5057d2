/**
 * What is needed of a connection of `pg`, version 8 or later.
 *
 * @example
 * await connection.query("LISTEN tidewire");
 * connection.on("notification", ({ channel, payload }) => console.log(channel, payload));
 */
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

/**
 * What is needed of a `Client`.
 *
 * @example
 * await client.connect();
 * await client.end();
 */
export interface PostgresClient extends PostgresConnection {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
}

/**
 * What is needed of a `Pool`.
 *
 * @example
 * import { Pool } from "pg";
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * cluster({ name: "chat", listen, backend: postgres({ pool }) });
 */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
}

/**
 * A client that the pool has lent.
 *
 * @example
 * const client = await pool.connect();
 * client.release(false);
 */
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
