/**
 * µs since 1970. All processes of a machine agree on it, whatever runs them, and it is finer than `Date.now()`.
 *
 * @returns {number}
 */
export const microseconds = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
