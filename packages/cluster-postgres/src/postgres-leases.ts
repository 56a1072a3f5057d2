import type { Announcement, FoundNode, Leases, LeaseStore } from "@tidewire/cluster";
import type { Connection, ConnectionUser } from "./connection/connection.ts";
import type { PostgresResult } from "./connection/client.ts";
import { PostgresError } from "./errors.ts";
import { createTable, renewLease } from "./sql.ts";

/** The code of PostgreSQL for a table that is missing. */
const UNDEFINED_TABLE = "42P01";

/** Leases in a table: one statement renews one of them, and reads the others. A channel says when something has changed. */
export class PostgresLeases implements LeaseStore {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #lease: number;
  #cluster = "";
  #user: ConnectionUser | undefined = undefined;

  /**
   * @param prefix - of the table and the channels
   * @param lease - in ms
   */
  constructor(connection: Connection, prefix: string, lease: number) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#lease = lease;
  }

  open(cluster: string, onChange: () => void): void {
    this.#cluster = cluster;
    // Whether it is up or down, it is asked at once.
    this.#user ??= { onUp: onChange, onDown: onChange };
    void this.#connection.listen(this.#channel, onChange);
    this.#connection.use(this.#user);
  }

  async renew(self: Announcement | undefined): Promise<Leases> {
    const node = self === undefined ? [null, null, null] : [self.id, self.epoch, self.address];
    const { rows } = await this.#renew([this.#cluster, this.#lease, ...node, this.#channel]);
    const { hasId, nodes } = rows[0] as { hasId: boolean; nodes: string };
    return { isTaken: self !== undefined && !hasId, nodes: foundIn(nodes) };
  }

  async close(): Promise<void> {
    const user = this.#user;
    this.#user = undefined;
    this.#connection.unlisten(this.#channel);
    if (user !== undefined) await this.#connection.leave(user);
  }

  get #channel(): string {
    return `${this.#prefix}:${this.#cluster}:nodes`;
  }

  get #table(): string {
    return `${this.#prefix}_nodes`;
  }

  async #renew(values: unknown[]): Promise<PostgresResult> {
    const statement = renewLease(this.#table);
    try {
      return await this.#connection.query(statement, values);
    } catch (error) {
      if (codeOf(error) !== UNDEFINED_TABLE) throw error;
      const problem = await this.#createTable();
      try {
        return await this.#connection.query(statement, values);
      } catch (still) {
        if (codeOf(still) !== UNDEFINED_TABLE) throw still;
        throw new PostgresError("NO_TABLE", String(problem), { cause: problem });
      }
    }
  }

  /** Returns why it was not possible: perhaps another node was faster. */
  async #createTable(): Promise<unknown> {
    try {
      await this.#connection.query(createTable(this.#table));
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

function foundIn(json: string): FoundNode[] {
  return (JSON.parse(json) as [id: string, address: string][]).map(([id, address]) => ({ id, address }));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
