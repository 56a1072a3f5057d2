// The servers that a scenario runs against: the official one on node:http, as the reference, and ours on both hosts.
import { createServer } from "node:http";
import { Server as OfficialEngine } from "engine.io";
import { Server as OfficialServer } from "socket.io";
import type { ServerOptions } from "socket.io";
import * as tidewire from "@tidewire/server";
import { engineOn } from "../../test/support/engine/hosts.ts";
import { StartedEngine } from "../../test/support/engine/started-engine.ts";
import type { Engine, EngineOptions } from "../../test/support/engine/types.ts";
import { listen } from "../../test/support/hosts/listening.ts";
import { NetworkClient } from "../../test/support/wire/network-client.ts";
import { StartedServer } from "../../test/support/server/started-server.ts";

export const ourHosts = ["uws", "node"] as const;
export type OurHost = (typeof ourHosts)[number];
export type Target = "official" | OurHost;

/** Scenarios use the types of the official server, as applications do. */
const OurServer = tidewire.Server as unknown as typeof OfficialServer;

export async function startServer(
  target: Target,
  options: Partial<ServerOptions> = {},
): Promise<StartedServer> {
  if (target === "uws") {
    const ours = { ...options, host: "uws" };
    return StartedServer.of(new OurServer(0, ours));
  }
  const httpServer = createServer((_, response) => response.writeHead(404).end());
  const Server = target === "official" ? OfficialServer : OurServer;
  const io = new Server(httpServer, options);
  // like `new Server(port)`, so that clients have IPv4-mapped addresses
  const started = new StartedServer(io, await listen(httpServer, 0, "::"));
  // a scenario can leave an unfinished request or connection
  started.closeWith(() => httpServer.closeAllConnections());
  return started;
}

export function startEngine(target: Target, options: EngineOptions = {}): Promise<StartedEngine> {
  return target === "official" ? startOfficialEngine(options) : engineOn[target].start(options, false);
}

async function startOfficialEngine(options: EngineOptions): Promise<StartedEngine> {
  const engine = new OfficialEngine(options) as unknown as Engine;
  const httpServer = createServer((_, response) => response.writeHead(404).end());
  engine.attach(httpServer, options.path === undefined ? {} : { path: options.path });
  const { port, stop } = await listen(httpServer, 0, "::");
  const path = `${(options.path ?? "/engine.io").replace(/\/$/, "")}/`;
  const client = new NetworkClient(port);
  return new StartedEngine({ engine, client, port, path, httpServer, stop: async () => stop() }, false);
}
