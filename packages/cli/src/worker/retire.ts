import { setTimeout as delay } from "node:timers/promises";
import type { internals } from "@tidewire/server";

/** How long requests of connections that are open already may still come, in ms. */
const LINGER = 500;

/**
 * Stops listening, so that new clients reach other workers, and then closes the connections of those that are here: clients see
 * `transport close`, and connect again by themselves.
 */
export async function retire(servers: Iterable<internals.WorkerServer>): Promise<void> {
  const all = [...servers];
  for (const { engine } of all) engine.stopListening();
  await delay(LINGER);
  // A server that is closed already rejects.
  await Promise.allSettled(all.map((server) => server.close()));
}
