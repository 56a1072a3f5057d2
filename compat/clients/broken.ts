// Connections that break, and how both sides report it.
/** The reason on each side when a connection breaks: a failed request, or a closed WebSocket. */
export const broken = { polling: "transport error", websocket: "transport close" } as const;

/** Short enough to detect a dead connection soon, long enough for a busy machine. */
export const impatient = { pingInterval: 300, pingTimeout: 1_200 } as const;
