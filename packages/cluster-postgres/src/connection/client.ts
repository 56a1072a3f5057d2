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
 * const ended = client.end();
 * // PostgreSQL may hang.
 * await Promise.race([ended, delay(2000)]);
 * client.unref?.();
 */
export interface PostgresClient extends PostgresConnection {
  connect(): Promise<unknown>;
  end(): Promise<unknown>;
  /** It does not keep the process alive any more. */
  unref?(): void;
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
 *
 * // One to which PostgreSQL does not answer any more.
 * broken.release(true);
 * broken.unref?.();
 */
export interface PostgresPoolClient extends PostgresConnection {
  /** @param isBroken - whether the pool is to close it rather than lend it again */
  release(isBroken: boolean): void;
  /** It does not keep the process alive any more. */
  unref?(): void;
}

/** A client that is connected. */
export interface OpenClient {
  readonly client: PostgresConnection;
  /** Fulfilled once PostgreSQL has closed it, too: one that hangs does not. */
  close(): Promise<unknown>;
  /** PostgreSQL is not waited for any longer. */
  abandon(): void;
}

/** An attempt to connect. PostgreSQL may accept a connection, and never answer on it. */
export interface Attempt {
  readonly opened: Promise<OpenClient>;
  /** A client that is connected afterwards is not needed. */
  abandon(): void;
}

/** Connects a new client. */
export type Connect = () => Attempt;

/** Borrows a client from a pool for as long as it lasts, and closes it: what it listens to would stay. */
export function fromPool(pool: PostgresPool): Connect {
  return () => {
    const lent = pool.connect();
    return {
      opened: lent.then((client) => ({
        client,
        close: () => closeLent(client),
        abandon: () => client.unref?.(),
      })),
      // How long it waits is up to the pool.
      abandon: () => void lent.then((client) => client.release(true), ignore),
    };
  };
}

function closeLent(client: PostgresPoolClient): Promise<void> {
  return new Promise((resolve) => {
    client.on("end", resolve);
    client.release(true);
  });
}

/** Connects the clients that a function makes. */
export function fromFactory(make: () => PostgresClient): Connect {
  return () => {
    const client = make();
    // What ends the connection before it is made rejects `connect()`, too.
    client.on("error", ignore);
    const abandon = (): void => client.unref?.();
    return {
      opened: client.connect().then(() => ({ client, close: () => client.end(), abandon })),
      abandon: () => {
        client.end().catch(ignore);
        abandon();
      },
    };
  };
}

function ignore(): void {}
