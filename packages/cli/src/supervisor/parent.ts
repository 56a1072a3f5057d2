/** How often the parent is looked for, in ms. */
const INTERVAL = 500;

/**
 * Calls a function when the shell is gone in which npm, npx, yarn or pnpm have started this process. They pass SIGTERM on to that
 * shell, which ends without passing it on. Started in another way, a process may outlive its parent.
 *
 * @returns a function that ends it
 */
export function watchShellOfNpm(onGone: () => void): () => void {
  if (process.env["npm_lifecycle_event"] === undefined) return () => {};
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}
