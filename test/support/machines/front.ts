import { setTimeout as delay } from "node:timers/promises";
import { findProxy } from "../../../scripts/setup.mjs";
import { haproxy, runHaproxy, runNginx } from "../proxies/configurations.ts";
import { startProxy } from "../proxies/running.ts";
import type { RunningProxy } from "../proxies/running.ts";
import type { MachineNode } from "./machine-node.ts";

/** A load balancer without affinity. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** The process is about to end: it gets no more clients. Called before it is told. */
  takeOut(node: MachineNode): Promise<void>;
  /** Resolves once the process that drains has been asked for its health. */
  notices(node: MachineNode): Promise<void>;
  /** Another process has taken its place. */
  putBack(): Promise<void>;
}

export type FrontName = "HAProxy" | "nginx";

/** How often servers ask their clients whether they are there, in ms: each connection says something before nginx takes it for dead. */
export const PING_INTERVALS: Readonly<Record<FrontName, number | undefined>> = {
  HAProxy: undefined,
  nginx: 1500,
};

export function startFront(name: FrontName, nodes: () => readonly MachineNode[]): Promise<Front> {
  return name === "HAProxy" ? Haproxy.start(nodes()) : Nginx.start(nodes);
}

/**
 * It asks each process for its health. It sends nothing more to one that drains, and goes on with what is open there. One that does not
 * answer it takes for dead, and cuts the connections to it.
 */
class Haproxy implements Front {
  readonly #proxy: RunningProxy;

  private constructor(proxy: RunningProxy) {
    this.#proxy = proxy;
  }

  static async start(nodes: readonly MachineNode[]): Promise<Haproxy> {
    const lines = `
      timeout tunnel 1h
      timeout check 2s
      balance roundrobin
      http-reuse always
      option redispatch 1
      option httpchk GET /
      http-check disable-on-404
      default-server inter 100ms fall 2 rise 1 on-marked-down shutdown-sessions`;
    const servers = nodes.map(
      ({ machine: { address }, settings: { port, healthPort } }) =>
        `${address}:${port} check port ${healthPort}`,
    );
    const configure = haproxy(lines, servers);
    return new Haproxy(await startProxy(findProxy("HAProxy") as string, runHaproxy, configure));
  }

  get port(): number {
    return this.#proxy.port;
  }

  async takeOut(): Promise<void> {}

  async notices(): Promise<void> {}

  async putBack(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/**
 * It asks nobody for health: the operator marks a process as down before it ends, and reloads the configuration. A process that says
 * nothing for some seconds loses its connections.
 */
class Nginx implements Front {
  readonly #nodes: () => readonly MachineNode[];
  readonly #proxy: RunningProxy;
  /** How many times it was configured. */
  #generation = 0;

  private constructor(nodes: () => readonly MachineNode[], proxy: RunningProxy) {
    this.#nodes = nodes;
    this.#proxy = proxy;
  }

  static async start(nodes: () => readonly MachineNode[]): Promise<Nginx> {
    const configure = (port: number, folder: string): string => configuration(port, folder, nodes(), 0);
    const proxy = await startProxy(findProxy("nginx") as string, runNginx, configure, 200, "SIGTERM");
    return new Nginx(nodes, proxy);
  }

  get port(): number {
    return this.#proxy.port;
  }

  takeOut(node: MachineNode): Promise<void> {
    return this.#configure(node);
  }

  async notices({ machine: { address }, settings: { healthPort } }: MachineNode): Promise<void> {
    while ((await fetch(`http://${address}:${healthPort}`)).status !== 404) await delay(20);
  }

  putBack(): Promise<void> {
    return this.#configure();
  }

  /** Resolves once new connections are those of the new configuration. */
  async #configure(down?: MachineNode): Promise<void> {
    const generation = ++this.#generation;
    this.#proxy.reload((port, folder) => configuration(port, folder, this.#nodes(), generation, down));
    const url = `http://127.0.0.1:${this.port}/generation`;
    while ((await (await fetch(url)).text()) !== String(generation)) await delay(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/** Connections of clients end with their requests: an official client on Node.js would use one that a reload closes. */
function configuration(
  port: number,
  folder: string,
  nodes: readonly MachineNode[],
  generation: number,
  down?: MachineNode,
): string {
  const servers = nodes.map(
    (node) =>
      `server ${node.machine.address}:${node.settings.port} fail_timeout=1s${node === down ? " down" : ""};`,
  );
  return `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/log;
events {}
http {
  access_log off;
  keepalive_timeout 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream nodes { ${servers.join(" ")} keepalive 16; keepalive_timeout 5s; }
  server {
    listen 127.0.0.1:${port};
    location = /generation { return 200 ${generation}; }
    location /socket.io/ {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_connect_timeout 1s;
      proxy_read_timeout 4s;
      proxy_buffering off;
    }
  }
}`;
}
