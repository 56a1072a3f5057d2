import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { MemoryHost } from "@tidewire/engine";
import type { Engine, EngineOptions } from "./types.ts";
import { connectInMemory } from "../wire/memory-client.ts";
import { NetworkClient } from "../wire/network-client.ts";
import { StartedEngine } from "./started-engine.ts";

export type HostName = "uws" | "node" | "memory";

/** What a test may need that not every host has. */
export type Capability =
  /** A port: raw TCP, resets, paused readers. */
  | "tcp"
  /** Headers whose first and last bytes are not ASCII. */
  | "edges"
  /** A WebSocket library that insists on masked frames. */
  | "masks";

export interface TestNeeds {
  /** Left out, under a name that says so, on a host that lacks it. */
  needs?: Capability;
  /** Milliseconds, when the default is too short. */
  timeout?: number;
}

type Body = () => Promise<void> | void;

interface HostSpec<Started, Options> {
  name: HostName;
  /** Why a capability is missing here. */
  gaps: Partial<Record<Capability, string>>;
  start(options?: Options, observe?: boolean): Promise<Started>;
}

/** One place where the suites run. */
export interface Host<Started, Options> extends HostSpec<Started, Options> {
  /** Declares a test; what cannot run here stays visible, as pending, with the reason in its name. */
  it(title: string, body: Body): void;
  it(title: string, needs: TestNeeds, body: Body): void;
}

export type EngineHost = Host<StartedEngine, EngineOptions>;

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

/** The modules are loaded when a test runs, so that a host which cannot load fails its own tests only. */
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

function tidewireEngine(host: "uws" | "node"): HostSpec<StartedEngine, EngineOptions> {
  return {
    name: host,
    gaps: host === "uws" ? { edges: "uWS cuts such bytes off", masks: "uWS takes unmasked frames" } : {},
    async start(options = {}, observe = true) {
      const { Server } = await loadEngine();
      const engine = new Server({ host, ...options });
      const httpServer = engine.listen(0, options.path === undefined ? {} : { path: options.path });
      const port = portOf(httpServer);
      const client = new NetworkClient(port);
      const parts = { engine, client, port, httpServer: httpServer as HttpServer, path: enginePath(options) };
      return new StartedEngine({ ...parts, stop: () => stop(httpServer) }, observe);
    },
  };
}

const memoryEngine: HostSpec<StartedEngine, EngineOptions> = {
  name: "memory",
  gaps: {
    tcp: "there is no TCP in memory",
    edges: "there are no bytes of headers in memory",
    masks: "there are no frames in memory",
  },
  async start(options = {}, observe = true) {
    const { Server, MemoryHost } = await loadEngine();
    const engine = new Server(options);
    const host = new MemoryHost();
    engine.attachHost(host);
    const parts = { engine, client: connectInMemory(host), port: 0, httpServer: undefined };
    return new StartedEngine({ ...parts, path: enginePath(options), stop: async () => {} }, observe);
  },
};

function withIt<Started, Options>(spec: HostSpec<Started, Options>): Host<Started, Options> {
  return {
    ...spec,
    it(title: string, ...rest: [Body] | [TestNeeds, Body]): void {
      const [needs, body] = rest.length === 1 ? [{}, rest[0]] : rest;
      const gap = needs.needs === undefined ? undefined : spec.gaps[needs.needs];
      if (gap !== undefined) {
        it(`${title} [not on ${spec.name}: ${gap}]`);
      } else {
        const test = it(title, async () => {
          await body();
        });
        if (needs.timeout !== undefined) {
          test.timeout(needs.timeout);
        }
      }
    },
  };
}

/** `HOSTS=uws,node` runs on those alone. */
function chosen<Started, Options>(specs: HostSpec<Started, Options>[]): Host<Started, Options>[] {
  const names = process.env["HOSTS"]?.split(",");
  return specs.filter(({ name }) => names?.includes(name) ?? true).map((spec) => withIt(spec));
}

/** Every way to start an engine, whatever the run has chosen. */
export const engineHosts: Readonly<Record<HostName, HostSpec<StartedEngine, EngineOptions>>> = {
  uws: tidewireEngine("uws"),
  node: tidewireEngine("node"),
  memory: memoryEngine,
};

/** Where the engine suites run. */
export const hosts: readonly EngineHost[] = chosen(Object.values(engineHosts));

/** Declares the suite once for every host of the engine. */
export function onEveryHost(suite: (host: EngineHost) => void): void {
  for (const host of hosts) {
    describe(`on ${host.name}`, () => suite(host));
  }
}
