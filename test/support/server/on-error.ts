import assert from "node:assert/strict";
import type { ErrorOrigin, Socket as OurSocket } from "@tidewire/server";
import { owning } from "../waiting/closing.ts";
import { within } from "../waiting/queue.ts";
import type { ServerHost } from "./hosts.ts";
import type { StartedServer } from "./started-server.ts";
import type { Server, ServerOptions, Socket } from "./socketio.ts";

export type Origin = ErrorOrigin<OurSocket>;
export interface WithOnError {
  onError(handler: (error: unknown, origin: Origin) => void): unknown;
}

export const failure = new Error("thrown by the application");

/** The two ways code of the application fails. */
export const ways: Record<"throws" | "rejects", () => unknown> = {
  throws: () => {
    throw failure;
  },
  rejects: async () => {
    await Promise.resolve();
    throw failure;
  },
};

/** A server whose errors go to a handler, and the next of them. */
export interface Reporting extends AsyncDisposable {
  running: StartedServer;
  io: Server;
  reported: () => Promise<Origin>;
}

export async function startReporting(host: ServerHost, options?: Partial<ServerOptions>): Promise<Reporting> {
  return reporting(await host.start(options));
}

/** Adds a handler to a running server. */
export function reporting(running: StartedServer): Reporting {
  const origins: Origin[] = [];
  const waiting: ((origin: Origin) => void)[] = [];
  (running.io as unknown as WithOnError).onError((error, origin) => {
    assert.equal(error, failure);
    const resolve = waiting.shift();
    if (resolve === undefined) origins.push(origin);
    else resolve(origin);
  });
  const reported = (): Promise<Origin> => {
    const origin = origins.shift();
    if (origin !== undefined) return Promise.resolve(origin);
    return within(new Promise<Origin>((resolve) => waiting.push(resolve)), "an error to be reported");
  };
  return owning({ running, io: running.io, reported }, running);
}

export function assertOrigin(
  origin: Origin,
  source: Origin["source"],
  event: string | undefined,
  socket?: Socket,
): void {
  assert.equal(origin.source, source);
  assert.equal(origin.event, event);
  assert.equal(origin.socket, socket);
}
