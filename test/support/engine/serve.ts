import type { Server as HttpServer } from "node:http";
import type { Server } from "@tidewire/engine";
import type { TemplatedApp } from "uWebSockets.js";
import { listen, listenApp } from "../hosts/listening.ts";
import { NetworkClient } from "../wire/network-client.ts";
import { StartedEngine } from "./started-engine.ts";
import type { Engine } from "./types.ts";

/** An engine on an HTTP server of the test's own, which listens from now on. */
export async function serve(
  engine: Engine | Server,
  httpServer: HttpServer,
  path: string = "/engine.io/",
): Promise<StartedEngine> {
  const { port, stop } = await listen(httpServer);
  return new StartedEngine({ ...parts(engine, port, path), httpServer, stop: async () => stop() }, true);
}

/** An engine attached to an app of the test's own, which listens from now on. */
export function serveApp(
  engine: Engine | Server,
  app: TemplatedApp,
  path: string = "/engine.io/",
): StartedEngine {
  const { port, stop } = listenApp(app);
  return new StartedEngine(
    { ...parts(engine, port, path), httpServer: undefined, stop: async () => stop() },
    true,
  );
}

function parts(
  engine: Engine | Server,
  port: number,
  path: string,
): { engine: Engine; client: NetworkClient; port: number; path: string } {
  return { engine: engine as unknown as Engine, client: new NetworkClient(port), port, path };
}
