/** Bytes of data that one end of a stream sends before the other end has granted any back. */
export const WINDOW: number = 256 * 1024;

/** Bytes that are granted together: fewer would cost a message for each message. */
export const LEAST_GRANT: number = WINDOW / 4;

/** Bytes that may wait at a link before it counts as overloaded. */
export const OVERLOAD: number = 8 * 1024 * 1024;

/** Bytes that may wait at a link for several heartbeats: what broadcasts to a node that is too slow cost the memory of this one. */
export const LIMIT: number = 64 * 1024 * 1024;
