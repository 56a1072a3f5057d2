/**
 * Runs `work` while the event loop of this process never sleeps. Whoever sends to a process that sleeps pays for its wake-up: a server
 * would be charged for the idle moments of the load generator, and more the faster it is.
 */
export async function spinDuring(work) {
  let isOver = false;
  const turn = () => {
    if (!isOver) setImmediate(turn);
  };
  turn();
  try {
    return await work();
  } finally {
    isOver = true;
  }
}
