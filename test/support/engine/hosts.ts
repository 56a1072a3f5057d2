import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { MemoryHost } from "@tidewire/engine";
import { chosen, defineHost, type Host } from "../hosts/on-every-host.ts";
import type { Engine, EngineOptions } from "./types.ts";
import { connectInMemory } from "../wire/memory-client.ts";
import { NetworkClient } from "../wire/network-client.ts";
import { StartedEngine } from "./started-engine.ts";

export type HostName = "uws" | "node" | "memory";

export interface EngineHost extends Host<StartedEngine, EngineOptions> {
  readonly name: HostName;
  /** `observe: false` adds no listener of ours to the engine. */
  start(options?: EngineOptions, observe?: boolean): Promise<StartedEngine>;
}

interface ListeningServer {
  readonly listening: boolean;
  address(): AddressInfo | string | null;
  close(callback?: (error?: Error) => void): unknown;
  closeAllConnections?(): void;
}

interface TidewireEngine extends Engine {
  listen(port: number, options?: { path?: string }): ListeningServer;
  attachHost(host: MemoryHost): unknown;
}

/** Loads the modules when a test runs, so that a host that cannot load fails only its own tests. */
interface EngineModule {
  Server: new (options?: EngineOptions) => TidewireEngine;
  MemoryHost: new () => MemoryHost;
}

async function loadEngine(): Promise<EngineModule> {
  const module = (await import("@tidewire/engine")) as unknown as Partial<EngineModule>;
  if (module.Server === undefined) {
    throw new Error("@tidewire/engine exports no Server");
  }
  return module as EngineModule;
}

function portOf(server: ListeningServer | HttpServer): number {
  return (server.address() as AddressInfo).port;
}

function stop(server: ListeningServer | HttpServer): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}

function enginePath(options: EngineOptions): string {
  return `${(options.path ?? "/engine.io").replace(/\/$/, "")}/`;
}

function networkHost(host: "uws" | "node"): EngineHost {
  return defineHost({
    name: host,
    gaps:
      host === "uws"
        ? {
            edges: "uWebSockets.js strips such bytes from headers",
            masks: "uWebSockets.js takes unmasked frames",
          }
        : {},
    async start(options: EngineOptions = {}, observe: boolean = true): Promise<StartedEngine> {
      const { Server } = await loadEngine();
      const engine = new Server({ host, ...options });
      const httpServer = engine.listen(0, options.path === undefined ? {} : { path: options.path });
      const port = portOf(httpServer);
      const client = new NetworkClient(port);
      const parts = { engine, client, port, httpServer: httpServer as HttpServer, path: enginePath(options) };
      return new StartedEngine({ ...parts, stop: () => stop(httpServer) }, observe);
    },
  });
}

const memoryHost: EngineHost = defineHost({
  name: "memory",
  gaps: {
    tcp: "the memory host has no TCP",
    edges: "the memory host has no header bytes",
    masks: "the memory host has no frames",
  },
  async start(options: EngineOptions = {}, observe: boolean = true): Promise<StartedEngine> {
    const { Server, MemoryHost } = await loadEngine();
    const engine = new Server(options);
    const host = new MemoryHost();
    engine.attachHost(host);
    const parts = { engine, client: connectInMemory(host), port: 0, httpServer: undefined };
    return new StartedEngine({ ...parts, path: enginePath(options), stop: async () => {} }, observe);
  },
});

/** Each way to start an engine, whatever the run has chosen. */
export const engineOn: Readonly<Record<HostName, EngineHost>> = {
  uws: networkHost("uws"),
  node: networkHost("node"),
  memory: memoryHost,
};

/** Where the suites of the engine run. */
export const engineHosts: readonly EngineHost[] = chosen(Object.values(engineOn));
