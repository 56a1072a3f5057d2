// Two machines, between which there is a link that can be cut. The load balancer, the clients and Redis are on neither.
import { spawnSync } from "node:child_process";
import type { LinkListenOptions } from "@tidewire/cluster";
import { freePort } from "../hosts/free-port.ts";
import { Cable } from "../backends/cable.ts";

const SECRET = "a secret that all nodes share";

/** Where processes run. */
export interface Machine {
  /** Under which the load balancer reaches it. */
  readonly address: string;
  /** Under which it reaches Redis. */
  readonly outside: string;
  /** What runs a program there. */
  readonly run: readonly string[];
  /** Where one more process listens for those of the other machine. */
  listen(): Promise<LinkListenOptions>;
}

export interface Network extends AsyncDisposable {
  readonly machines: readonly [Machine, Machine];
  /** Nothing gets from one machine to the other any more, and nobody is told so. */
  cut(): void;
  mend(): void;
}

function ip(...args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Why machines cannot be network namespaces here; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are those of Linux";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const name = `tidewire-try-${process.pid}`;
  const reason = ip("netns", "add", name) ?? ip("-n", name, "link", "add", "try0", "type", "veth");
  ip("netns", "delete", name);
  return reason;
}

/** Two network namespaces, each with a cable to this one, and one between them. */
class Namespaces implements Network {
  readonly machines: readonly [Machine, Machine];
  readonly #names: readonly [string, string];
  /** They would outlive a run that is interrupted. */
  readonly #onExit = (): void => this.#delete();

  constructor() {
    const { pid } = process;
    const names: readonly [string, string] = [`tidewire-a-${pid}`, `tidewire-b-${pid}`];
    process.once("exit", this.#onExit);
    this.#names = names;
    const subnet = `10.${100 + ((pid >> 8) & 127)}.${pid & 255}`;
    for (const name of names) this.#do("netns", "add", name);
    for (const name of names) this.#do("-n", name, "link", "set", "lo", "up");
    this.machines = [
      this.#attach(0, `${subnet}.1`, `${subnet}.2`, `${subnet}.9`),
      this.#attach(1, `${subnet}.5`, `${subnet}.6`, `${subnet}.10`),
    ];
    this.#do(
      "-n",
      names[0],
      "link",
      "add",
      "between",
      "type",
      "veth",
      "peer",
      "name",
      "between",
      "netns",
      names[1],
    );
    for (const [index, name] of names.entries()) {
      this.#do("-n", name, "address", "add", `${subnet}.${9 + index}/30`, "dev", "between");
      this.#do("-n", name, "link", "set", "between", "up");
    }
  }

  #attach(index: 0 | 1, outside: string, address: string, host: string): Machine {
    const name = this.#names[index];
    const cable = `tw${process.pid}${"ab"[index]}`;
    this.#do("link", "add", cable, "type", "veth", "peer", "name", "outside", "netns", name);
    this.#do("address", "add", `${outside}/30`, "dev", cable);
    this.#do("link", "set", cable, "up");
    this.#do("-n", name, "address", "add", `${address}/30`, "dev", "outside");
    this.#do("-n", name, "link", "set", "outside", "up");
    const listen = async (): Promise<LinkListenOptions> => ({ host, secret: SECRET });
    return { address, outside, run: ["ip", "netns", "exec", name], listen };
  }

  #do(...args: readonly string[]): void {
    const error = ip(...args);
    if (error === undefined) return;
    this.#delete();
    throw new Error(`ip ${args.join(" ")}: ${error}`);
  }

  cut(): void {
    this.#do("-n", this.#names[0], "link", "set", "between", "down");
  }

  mend(): void {
    this.#do("-n", this.#names[0], "link", "set", "between", "up");
  }

  #delete(): void {
    process.off("exit", this.#onExit);
    for (const name of this.#names) ip("netns", "delete", name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#delete();
  }
}

/** Two addresses of the loopback interface. The links between them lead through this process. */
class Loopback implements Network {
  readonly machines: readonly [Machine, Machine] = [this.#machine(2), this.#machine(3)];
  readonly #cables: Cable[] = [];

  #machine(number: number): Machine {
    const host = `127.0.0.${number}`;
    const advertise = `127.0.1.${number}`;
    const listen = async (): Promise<LinkListenOptions> => {
      const port = await freePort();
      this.#cables.push(await Cable.to(port, host, { host: advertise, port }));
      return { host, port, advertise, secret: SECRET };
    };
    return { address: "127.0.0.1", outside: "127.0.0.1", run: [], listen };
  }

  cut(): void {
    for (const cable of this.#cables) cable.block();
  }

  mend(): void {
    for (const cable of this.#cables) cable.mend();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#cables.map((cable) => cable[Symbol.asyncDispose]()));
  }
}

/** Network namespaces where the rights allow, else addresses of the loopback interface. */
export function twoMachines(): Network {
  return whyNoNamespaces() === undefined ? new Namespaces() : new Loopback();
}
