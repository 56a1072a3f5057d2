/** Members that the official types hide but published packages use. */
export interface Internals {
  readonly acks: ReadonlyMap<number, unknown>;
  readonly flags: object;
  readonly _preConnectSockets: ReadonlyMap<string, unknown>;
  readonly children: ReadonlySet<unknown>;
  readonly readyState: unknown;
  leaveAll(): void;
  onconnection(conn: unknown): unknown;
  ack(id: number): unknown;
}

/** A socket or a namespace, seen with its internals. */
export function internals(thing: object): Internals {
  return thing as Internals;
}
