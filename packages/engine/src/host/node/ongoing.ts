/** Something that keeps a connection open while its server closes. */
export interface Ongoing {
  /** Drops the connection. */
  cut(): void;
}

/**
 * Everything that a closing server waits for: requests until they are answered and read to their end, upgrades while a hook
 * decides, and WebSockets that wait for the client's close frame. Sessions close open WebSockets themselves.
 */
export type OngoingSet = Set<Ongoing>;
