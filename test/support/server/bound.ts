import { Server } from "@tidewire/server";
import type { ServerOptions } from "@tidewire/server";
import type { EngineHost } from "../engine/hosts.ts";
import type { StartedEngine } from "../engine/started-engine.ts";
import type { EngineOptions } from "../engine/types.ts";
import { owning } from "../waiting/closing.ts";

export interface Bound extends AsyncDisposable {
  /** The engine, with a client that speaks its protocol by hand. */
  server: StartedEngine;
  io: Server;
}

/** A server bound to an engine on the host, for suites that run in memory, too. */
export async function bindTo(
  host: EngineHost,
  options: Partial<ServerOptions> = {},
  engineOptions: EngineOptions = {},
): Promise<Bound> {
  const server = await host.start(engineOptions);
  const io = new Server(options).bind(server.engine);
  return owning({ server, io }, server);
}
