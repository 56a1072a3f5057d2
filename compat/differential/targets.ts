// The servers that a scenario runs against: the official one on node:http, which is the measure, and ours on both hosts.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as OfficialServer } from "socket.io";
import type { Server, ServerOptions } from "socket.io";
import * as tidewire from "@tidewire/server";
import type { Engine, EngineOptions } from "../../test/support/engine/types.ts";
import { Server as OfficialEngine } from "engine.io";
import { engineOn } from "../../test/support/engine/hosts.ts";
import { StartedEngine } from "../../test/support/engine/started-engine.ts";
import { NetworkClient } from "../../test/support/wire/network-client.ts";

export const ourHosts = ["uws", "node"] as const;
export type OurHost = (typeof ourHosts)[number];
export type Target = "official" | OurHost;

export interface StartedServer {
  readonly io: Server;
  readonly port: number;
  stop(): Promise<void>;
}

/** Scenarios are written against the types of the official server, as applications are. */
const OurServer = tidewire.Server as unknown as typeof OfficialServer;

export async function startServer(
  target: Target,
  options: Partial<ServerOptions> = {},
): Promise<StartedServer> {
  if (target === "uws") {
    const ours = { ...options, host: "uws" };
    const io = new OurServer(0, ours);
    const { port } = io.httpServer.address() as AddressInfo;
    return { io, port, stop: () => io.close().catch(() => {}) };
  }
  const httpServer = createServer((_, response) => response.writeHead(404).end());
  const io = new (target === "official" ? OfficialServer : OurServer)(httpServer, options);
  await new Promise<void>((resolve) => httpServer.listen(0, resolve));
  const { port } = httpServer.address() as AddressInfo;
  return { io, port, stop: () => stopNode(io, httpServer) };
}

async function stopNode(io: Server, httpServer: HttpServer): Promise<void> {
  const closed = io.close().catch(() => {});
  httpServer.closeAllConnections();
  await closed;
}

export function startEngine(target: Target, options: EngineOptions = {}): Promise<StartedEngine> {
  return target === "official" ? startOfficialEngine(options) : engineOn[target].start(options, false);
}

async function startOfficialEngine(options: EngineOptions): Promise<StartedEngine> {
  const engine = new OfficialEngine(options) as unknown as Engine;
  const httpServer = createServer((_, response) => response.writeHead(404).end());
  engine.attach(httpServer, options.path === undefined ? {} : { path: options.path });
  await new Promise<void>((resolve) => httpServer.listen(0, resolve));
  const { port } = httpServer.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    httpServer.close();
    httpServer.closeAllConnections();
  };
  const path = `${(options.path ?? "/engine.io").replace(/\/$/, "")}/`;
  return new StartedEngine({ engine, client: new NetworkClient(port), port, path, httpServer, stop }, false);
}
