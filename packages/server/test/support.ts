import { Server as OfficialEngine } from "engine.io";
import { once } from "node:events";
import { createServer } from "node:http";
import { Server as OfficialServer } from "socket.io";
import type { Socket as ClientSocket } from "socket.io-client";
import { Server } from "@tidewire/server";
import type { Socket } from "@tidewire/server";
import { listen } from "../../../test/support/hosts/listening.ts";
import { StartedServer, type ClientOptions } from "../../../test/support/server/started-server.ts";
import type { ServerOptions } from "../src/options.ts";

/** The two ends of a new connection over WebSocket. */
export async function pair(
  server: StartedServer<Server> | StartedServer<OfficialServer>,
  options: ClientOptions = {},
): Promise<[Socket, ClientSocket]> {
  const connection = once(server.io.of("/") as Server["sockets"], "connection") as Promise<[Socket]>;
  const client = server.client({ transports: ["websocket"], ...options });
  await heard(client, "connect");
  return [(await connection)[0], client];
}

/** The arguments of the next event a client hears. */
export function heard(client: ClientSocket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

/** A server over the official engine, which was given to `bind()`. */
async function start<IO extends Server | OfficialServer>(
  io: IO,
  options: object,
): Promise<StartedServer<IO>> {
  const httpServer = createServer();
  const engine = new OfficialEngine(options);
  engine.attach(httpServer, { path: "/socket.io/" });
  io.bind(engine);
  const { port, stop } = await listen(httpServer);
  return new StartedServer(io, { port, stop });
}

export function startBound(options: Partial<ServerOptions> = {}): Promise<StartedServer<Server>> {
  return start(new Server(options), options);
}

/** The official server on the same engine. */
export function startOfficial(options: object = {}): Promise<StartedServer<OfficialServer>> {
  return start(new OfficialServer(options), options);
}
