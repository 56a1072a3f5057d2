// How connections end that nobody closed.

/** What each side calls the end of a broken connection: a request that failed, or a WebSocket that closed. */
export const broken = { polling: "transport error", websocket: "transport close" } as const;

/** A row of docs/differences.md. */
export const EIO3_HEARTBEAT = "the official server forgets the heartbeat of protocol 3 after an upgrade";
