// `--workers`: servers of one cluster, without affinity, in place of each server. They run in this process, so that tests reach
// their sockets, and are linked by the sockets that join processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cluster } from "@tidewire/cluster";
import type { Cluster } from "@tidewire/server";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { freePort } from "../../test/support/hosts/free-port.ts";
import { StartedEngine } from "../../test/support/engine/started-engine.ts";
import type { Engine, EngineOptions } from "../../test/support/engine/types.ts";
import { haproxy, runHaproxy, runNginx, sharingNginx } from "../../test/support/proxies/configurations.ts";
import type { ServerHost } from "../../test/support/server/hosts.ts";
import { socketio } from "../../test/support/server/socketio.ts";
import type { Server, ServerOptions } from "../../test/support/server/socketio.ts";
import { StartedServer } from "../../test/support/server/started-server.ts";
import { accepts } from "../../test/support/waiting/accepts.ts";
import { NetworkClient } from "../../test/support/wire/network-client.ts";

const WORKERS = 3;

/** What may be in front of the workers; `port` is nothing: they share one. */
export const FRONTS = ["HAProxy", "nginx", "port"] as const;
export type Front = (typeof FRONTS)[number];

/** What is in front of the workers of this run; undefined if each server is one alone. */
export const front: Front | undefined = FRONTS.find((name) => name === process.env["COMPAT_WORKERS"]);

/** Why nothing is recovered with workers, whose tests have no journal. */
export const NO_RECOVERY = "the cluster's own adapter keeps no events for clients that come back";

/** The same host with workers behind the front of this run, if it has one. */
export function withWorkers(host: ServerHost): ServerHost {
  if (front === undefined) return host;
  const behind = front;
  return { ...host, start: (options = {}) => startWorkers(host.name as "uws" | "node", behind, options) };
}

async function startWorkers(
  host: "uws" | "node",
  behind: Front,
  options: Partial<ServerOptions>,
): Promise<StartedServer> {
  const { io, port, stop } = await startServers(host, behind, options);
  return new StartedServer(io, { port, stop });
}

/** The engines of workers, without the protocol of Socket.IO. */
export async function startWorkerEngines(
  host: "uws" | "node",
  behind: Front,
  options: EngineOptions,
): Promise<StartedEngine> {
  const path = "/engine.io/";
  const served = { path, serveClient: false, ...options } as Partial<ServerOptions>;
  const workers = await startServers(host, behind, served);
  const { io, port } = workers;
  const engine = io.engine as unknown as Engine;
  // those of the server
  engine.removeAllListeners("connection");
  const stop = async (): Promise<void> => {
    await io.close().catch(() => {});
    await workers.stop();
  };
  const parts = { engine, client: new NetworkClient(port), port, path, httpServer: undefined, stop };
  return new StartedEngine(parts, true);
}

async function startServers(
  host: "uws" | "node",
  behind: Front,
  options: Partial<ServerOptions>,
): Promise<Workers> {
  const shared = behind === "port" ? await freePort() : 0;
  return Workers.start(behind, async (joined) => {
    const io = new socketio.Server(shared, { ...options, ...joined, host } as Partial<ServerOptions>);
    const { httpServer } = io;
    if (!httpServer.listening) await once(httpServer, "listening");
    return { io, port: (httpServer.address() as AddressInfo).port };
  });
}

/** A worker that listens. */
interface Worker {
  readonly io: Server;
  readonly port: number;
}

/** Servers of one cluster, and what is in front of them. */
export class Workers {
  /** All servers as one. */
  readonly io: Server;
  readonly port: number;
  readonly stop: () => Promise<void>;

  private constructor(io: Server, port: number, stop: () => Promise<void>) {
    this.io = io;
    this.port = port;
    this.stop = stop;
  }

  /**
   * Starts the workers, which know each other when it resolves.
   *
   * @param start - starts one of them with these options
   * @param wished - the port of the proxy; any by default
   */
  static async start(
    behind: Front,
    start: (options: object) => Promise<Worker>,
    wished?: number,
  ): Promise<Workers> {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-compat-"));
    const joined = (): object => ({ cluster: cluster({ directory: join(folder, "c"), name: "compat" }) });
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => start(joined())));
    const nodes = workers.map(({ io }) => (io as unknown as { cluster: Cluster }).cluster);
    while (!nodes.every((node) => node.ready && node.nodes.length === WORKERS)) await delay(5);
    const ports = workers.map(({ port }) => port);
    const proxy = behind === "port" ? undefined : await startProxy(behind, ports, folder, wished);
    const stop = async (): Promise<void> => {
      await proxy?.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return new Workers(asOne(workers.map(({ io }) => io)), proxy?.port ?? ports[0]!, stop);
  }
}

async function startProxy(
  name: "HAProxy" | "nginx",
  ports: readonly number[],
  folder: string,
  wished?: number,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const program = findProxy(name);
  if (program === undefined) throw new Error(whyMissing(name));
  const port = wished ?? (await freePort());
  const file = join(folder, "conf");
  writeFileSync(file, configurations[name](ports)(port, folder));
  const args = name === "HAProxy" ? runHaproxy(file) : runNginx(file);
  const child = spawn(program, args, { stdio: "ignore" });
  while (child.exitCode === null && !(await accepts(port))) await delay(5);
  if (child.exitCode !== null) throw new Error(`${name} has ended with ${child.exitCode}`);
  return {
    port,
    stop: async () => {
      child.kill("SIGKILL");
      if (child.signalCode === null) await once(child, "exit");
    },
  };
}

/** Both share their connections to the workers among all clients. */
const configurations = {
  HAProxy: (ports: readonly number[]) =>
    haproxy("balance roundrobin\nhttp-reuse always\noption abortonclose", ports.map(addressOf)),
  nginx: (ports: readonly number[]) =>
    sharingNginx(
      `${ports.map((port) => `server ${addressOf(port)};`).join(" ")} keepalive 16;`,
      "client_max_body_size 0;",
    ),
};

function addressOf(port: number): string {
  return `127.0.0.1:${port}`;
}

type Method = (...args: unknown[]) => unknown;

/** What a test does with a server or a namespace, done with those of all workers; what it sends, it sends from the first. */
function asOne<T extends object>(all: readonly T[]): T {
  const call = (name: string, args: unknown[]): unknown[] =>
    all.map((each) => ((each as Record<string, unknown>)[name] as Method)(...args));
  const first = all[0]!;
  const together: Record<string, unknown> = {
    on: (...args: unknown[]) => call("on", args),
    use: (...args: unknown[]) => call("use", args),
    off: (...args: unknown[]) => call("off", args),
    removeAllListeners: (...args: unknown[]) => call("removeAllListeners", args),
    once(event: string, listener: Method): void {
      const heard: Method = (...args) => {
        call("off", [event, heard]);
        listener(...args);
      };
      call("on", [event, heard]);
    },
    of: (...args: unknown[]) => asOne(call("of", args) as object[]),
    close: () => Promise.all(call("close", [])),
  };
  return new Proxy(first, {
    get(_, name) {
      if (typeof name === "string" && name in first && name in together) return together[name];
      if (name === "engine") return asOne(valuesOf(all, name) as object[]);
      if (name === "clientsCount")
        return valuesOf(all, name).reduce<number>((sum, count) => sum + Number(count), 0);
      if (name === "sockets") {
        const values = valuesOf(all, name);
        if (values[0] instanceof Map)
          return new Map((values as Map<unknown, unknown>[]).flatMap((map) => [...map]));
        return asOne(values as object[]);
      }
      const value: unknown = Reflect.get(first, name);
      return typeof value === "function" ? value.bind(first) : value;
    },
  });
}

function valuesOf(all: readonly object[], name: string): unknown[] {
  return all.map((each) => (each as Record<string, unknown>)[name]);
}
