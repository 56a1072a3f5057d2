import { once } from "node:events";
import { Server as NetServer } from "node:net";
import type { Engine } from "@tidewire/engine";
import { ClusterError } from "./errors.ts";

/**
 * Returns the port of the HTTP server of an engine, once it listens.
 *
 * @throws ClusterError if it has none
 */
export async function listeningPort(engine: Engine): Promise<number> {
  const server: unknown = "httpServer" in engine ? engine.httpServer : undefined;
  // The server of an app of uWebSockets.js that the application listens on itself has no address.
  if (server instanceof NetServer && !server.listening) await once(server, "listening");
  const address = hasAddress(server) ? server.address() : null;
  if (typeof address !== "object" || address === null) throw new ClusterError("NO_NAME");
  return address.port;
}

function hasAddress(server: unknown): server is Pick<NetServer, "address"> {
  return typeof server === "object" && server !== null && "address" in server;
}
