import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProxy } from "../../../scripts/setup.mjs";
import { freePort } from "../hosts/free-port.ts";
import { runHaproxy } from "../proxies/configurations.ts";
import { startProxy } from "../proxies/running.ts";
import type { RunningProxy } from "../proxies/running.ts";
import { RedisServer } from "../redis/redis-server.ts";
import { whyNoUws } from "../uws/absent.ts";
import { MachineNode } from "./machine-node.ts";
import { twoMachines } from "./network.ts";
import type { Network } from "./network.ts";
import { ROOMS } from "./settings.ts";
import type { Sent } from "./settings.ts";
import { Witness } from "./witness.ts";
import type { WitnessOptions } from "./witness.ts";

/** One after the other; each machine has both. */
const HOSTS = whyNoUws === undefined ? (["uws", "node", "node"] as const) : (["node"] as const);

/** How long a test waits for something that must happen, in ms. */
const PATIENCE = 30_000;

/** As browsers use them: half of the clients begin with long-polling, and a sixth stay there. */
const TRANSPORTS = [
  ["websocket"],
  ["polling", "websocket"],
  ["websocket"],
  ["polling", "websocket"],
  ["polling"],
];

export interface MachinesOptions {
  /** How many processes there are on each of the two machines. */
  readonly processes: readonly [number, number];
  /** How long the clients of a process may take to leave, in ms. */
  readonly drainWithin: number;
}

/** Processes on two machines, HAProxy without affinity before them, and their Redis. `await using` ends all of it. */
export class Machines implements AsyncDisposable {
  readonly network: Network;
  readonly redis: RedisServer;
  readonly nodes: MachineNode[] = [];
  /** What was sent, by the pids of the processes. */
  readonly sent: Map<number, Sent> = new Map();
  readonly #drainWithin: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  #proxy: RunningProxy | undefined = undefined;

  private constructor(network: Network, redis: RedisServer, drainWithin: number) {
    this.network = network;
    this.redis = redis;
    this.#drainWithin = drainWithin;
  }

  static async start({ processes, drainWithin }: MachinesOptions): Promise<Machines> {
    const network = twoMachines();
    const addresses = new Set(["127.0.0.1", ...network.machines.map(({ outside }) => outside)]);
    const redis = await RedisServer.start(["--bind", ...addresses, "--protected-mode", "no"]);
    const machines = new Machines(network, redis, drainWithin);
    try {
      for (const [index, count] of processes.entries())
        for (let started = 0; started < count; started++) await machines.#add(index);
      await Promise.all(machines.nodes.map((node) => node.ready()));
      machines.#proxy = await startProxy(findProxy("HAProxy") as string, runHaproxy, (port) =>
        machines.#configure(port),
      );
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
    return machines;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  async #add(index: number): Promise<void> {
    const machine = this.network.machines[index]!;
    const [port, healthPort] = [await freePort(), await freePort()];
    const host = HOSTS[this.nodes.length % HOSTS.length]!;
    const directory = join(this.#folder, String(index));
    const redisUrl = `redis://${machine.outside}:${this.redis.port}`;
    const listen = await machine.listen();
    const drainWithin = this.#drainWithin;
    this.nodes.push(
      new MachineNode(machine, { host, port, healthPort, directory, listen, redisUrl, drainWithin }),
    );
  }

  /** Clients on all transports, which know their processes when this resolves. */
  async witnesses(count: number, options: WitnessOptions = {}): Promise<Witness[]> {
    const witnesses = Array.from({ length: count }, (_, index) => {
      const transports = TRANSPORTS[index % TRANSPORTS.length]!;
      return new Witness(this.url, index % ROOMS, { transports, ...options });
    });
    await until(() => witnesses.every(({ pid }) => pid !== 0), "the clients to know their processes");
    return witnesses;
  }

  /** All processes send so many events per second, together. */
  talk(rate: number): void {
    for (const node of this.nodes) node.talk(rate / this.nodes.length);
  }

  /** Ends a process as operators do, and starts another one in its place, which talks at that rate. */
  async restart(node: MachineNode, rate: number): Promise<MachineNode> {
    this.sent.set(node.pid, await node.end());
    const started = await new MachineNode(node.machine, node.settings).ready();
    this.nodes[this.nodes.indexOf(node)] = started;
    started.talk(rate / this.nodes.length);
    return started;
  }

  /** The process that has the most of these clients. */
  busiest(witnesses: readonly Witness[]): MachineNode {
    const count = (node: MachineNode): number => witnesses.filter(({ pid }) => pid === node.pid).length;
    return this.nodes.toSorted((one, other) => count(other) - count(one))[0]!;
  }

  /** Nobody knows what it has sent last. */
  kill(node: MachineNode): void {
    node.child.kill("SIGKILL");
    this.sent.delete(node.pid);
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** The processes send nothing more. Resolves once the clients are there, and have all that was sent to them. */
  async settle(witnesses: readonly Witness[]): Promise<void> {
    for (const node of this.nodes) this.sent.set(node.pid, await node.hush());
    const sent = [...this.sent];
    const lacks = (witness: Witness): boolean => !sent.every(([pid, last]) => witness.hasHeard(pid, last));
    await until(
      () => !witnesses.some(lacks),
      () =>
        `events to arrive: ${witnesses
          .filter(lacks)
          .map((each) => each.describe(this.sent))
          .join("; ")}`,
    );
  }

  /**
   * It sends nothing more to a process that drains, and goes on with what is open there. One that does not answer it takes for dead, and
   * cuts the connections to it.
   */
  #configure(port: number): string {
    const servers = this.nodes.map(
      ({ machine: { address }, settings: { port: own, healthPort } }, index) =>
        `  server s${index} ${address}:${own} check port ${healthPort}`,
    );
    return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  timeout check 2s
listen web
  bind 127.0.0.1:${port}
  balance roundrobin
  http-reuse always
  option redispatch 1
  option httpchk GET /
  http-check disable-on-404
  default-server inter 100ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join("\n")}
`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.nodes) child.kill("SIGKILL");
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Waits until something is so; events of several processes make it so. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await isTrue())) {
    if (performance.now() > end)
      throw new Error(`waited in vain for ${typeof what === "string" ? what : what()}`);
    await delay(20);
  }
}
