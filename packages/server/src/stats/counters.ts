/** Sockets that have disconnected for the same reason. */
export interface DisconnectCount {
  /** The first argument of `disconnect`. */
  readonly reason: string;
  /** The `code` of the second argument, if it has one. */
  readonly code?: string;
  readonly count: number;
}

/** What the server counts since it was created. */
export class Counters {
  /** Calls of `emit()` for more than one client. */
  broadcasts: number = 0;
  /** Packets of broadcasts that clients of this process were sent. */
  deliveries: number = 0;
  /** Questions that were not answered in time. */
  acksTimedOut: number = 0;
  /** Clients that came back and whose state was recovered. */
  recovered: number = 0;
  /** Clients that came back and whose state was unknown. */
  recoveriesRefused: number = 0;
  /** Broadcasts and commands of other nodes that have not arrived. */
  clusterMissed: number = 0;
  readonly #disconnects: Map<string, Mutable<DisconnectCount>> = new Map();

  /** Counts a socket that has left its namespace. */
  disconnected(reason: string, description: unknown): void {
    const code = codeOf(description);
    const key = `${reason} ${code ?? ""}`;
    const counted = this.#disconnects.get(key);
    if (counted !== undefined) counted.count++;
    else this.#disconnects.set(key, code === undefined ? { reason, count: 1 } : { reason, code, count: 1 });
  }

  get disconnects(): readonly DisconnectCount[] {
    return Array.from(this.#disconnects.values(), (counted) => ({ ...counted }));
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function codeOf(description: unknown): string | undefined {
  if (typeof description !== "object" || description === null) return undefined;
  const { code } = description as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
