import type { Server as HttpServer } from "node:http";
import type * as uWS from "uWebSockets.js";
import { listen, listenApp } from "../hosts/listening.ts";
import type { Server } from "./socketio.ts";
import { StartedServer } from "./started-server.ts";

/** A server on an HTTP server of the test's own, which listens from now on. */
export async function serve(
  io: Server,
  httpServer: HttpServer,
  scheme: "http" | "https" = "http",
): Promise<StartedServer> {
  const { port, stop } = await listen(httpServer);
  return new StartedServer(io, { port, scheme, stop });
}

/** A server attached to an app of the test's own, which listens from now on. */
export function serveApp(
  io: Server,
  app: uWS.TemplatedApp,
  scheme: "http" | "https" = "http",
): StartedServer {
  const { port, stop } = listenApp(app);
  return new StartedServer(io, { port, scheme, stop });
}
