import { setTimeout as delay } from "node:timers/promises";
import type { internals } from "@tidewire/server";

type WorkerServer = internals.WorkerServer;

/** How long clients whose connections are open already may still begin a session here, in ms. */
const LINGER = 500;

/**
 * Stops listening, so that new clients reach other workers, and lets those that are here leave in batches: they see `transport close`,
 * and connect again by themselves.
 *
 * @param within - how long they may take, in ms; 0 for all at once
 */
export async function retire(servers: Iterable<WorkerServer>, within: number): Promise<void> {
  const all = [...servers];
  for (const { engine } of all) engine.stopListening();
  // One that the application has closed rejects.
  await Promise.allSettled(all.map((server) => letGo(server, within)));
}

async function letGo(server: WorkerServer, within: number): Promise<void> {
  if (within > 0) {
    await delay(LINGER);
    await server.drain({ within, every: Math.min(500, within / 10) });
  }
  await server.close();
}
