/** in ms */
const INTERVAL = 5;

/**
 * Calls a function so many times per second, each time with how often it was called before.
 *
 * @returns a function that ends it
 */
export function atRate(perSecond: number, call: (before: number) => void): () => void {
  const begin = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - begin) / 1000) * perSecond;
    for (; count < due; count++) call(count);
  }, INTERVAL);
  return () => clearInterval(timer);
}
