// How connections end that nobody closed.
/** What each side calls the end of a broken connection: a request that failed, or a WebSocket that closed. */
export const broken = { polling: "transport error", websocket: "transport close" } as const;

/** Finds silence soon, and yet bears a machine that is busy. */
export const impatient = { pingInterval: 300, pingTimeout: 1_200 } as const;
