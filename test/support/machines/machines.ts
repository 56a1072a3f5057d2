import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../hosts/free-port.ts";
import { RedisServer } from "../redis/redis-server.ts";
import { whyNoUws } from "../uws/absent.ts";
import { PING_INTERVALS, startFront } from "./front.ts";
import type { Front, FrontName } from "./front.ts";
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
  readonly front: FrontName;
  /** How many processes there are on each of the two machines. */
  readonly processes: readonly [number, number];
  /** How long the clients of a process may take to leave, in ms. */
  readonly drainWithin: number;
}

/** Processes on two machines, a load balancer without affinity before them, and their Redis. `await using` ends all of it. */
export class Machines implements AsyncDisposable {
  readonly network: Network;
  readonly redis: RedisServer;
  readonly nodes: MachineNode[] = [];
  /** What was sent, by the pids of the processes. */
  readonly sent: Map<number, Sent> = new Map();
  readonly #drainWithin: number;
  readonly #pingInterval: number | undefined;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  #front: Front | undefined = undefined;

  private constructor(network: Network, redis: RedisServer, drainWithin: number, pingInterval?: number) {
    this.network = network;
    this.redis = redis;
    this.#drainWithin = drainWithin;
    this.#pingInterval = pingInterval;
  }

  static async start({ front, processes, drainWithin }: MachinesOptions): Promise<Machines> {
    const network = twoMachines();
    const addresses = new Set(["127.0.0.1", ...network.machines.map(({ outside }) => outside)]);
    const redis = await RedisServer.start(["--bind", ...addresses, "--protected-mode", "no"]);
    const machines = new Machines(network, redis, drainWithin, PING_INTERVALS[front]);
    try {
      for (const [index, count] of processes.entries())
        for (let started = 0; started < count; started++) await machines.#add(index);
      await Promise.all(machines.nodes.map((node) => node.ready()));
      machines.#front = await startFront(front, () => machines.nodes);
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
    return machines;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#front!.port}`;
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
      new MachineNode(machine, {
        host,
        port,
        healthPort,
        directory,
        listen,
        redisUrl,
        drainWithin,
        pingInterval: this.#pingInterval,
      }),
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
    this.sent.set(node.pid, await this.end(node));
    const started = await new MachineNode(node.machine, node.settings).ready();
    this.nodes[this.nodes.indexOf(node)] = started;
    await this.#front!.putBack();
    started.talk(rate / this.nodes.length);
    return started;
  }

  /** Ends a process as operators do. */
  async end(node: MachineNode): Promise<Sent> {
    await this.#front!.takeOut(node);
    const [sent] = await Promise.all([node.end(), this.#front!.notices(node)]);
    return sent;
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.nodes) child.kill("SIGKILL");
    await this.#front?.[Symbol.asyncDispose]();
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
