/** Something that keeps a connection open while its server closes. */
export interface Ongoing {
  /** Drops the connection. */
  cut(): void;
}

/**
 * Requests until they were answered and read to their end, upgrades while a hook decides, and WebSockets whose close frame waits
 * for an answer: what a server that closes would wait for. Open WebSockets are the sessions' own.
 */
export type OngoingSet = Set<Ongoing>;
