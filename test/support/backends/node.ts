import { randomBytes } from "node:crypto";
import type { Announcement, Backend, Channels, Discovery } from "@tidewire/cluster";
import { Queue } from "../waiting/queue.ts";
import { Cables } from "./cables.ts";

/** A backend on a connection of its own, as an application makes it. */
export interface Connected extends AsyncDisposable {
  readonly backend: Backend;
}

/** How long the leases of tests last, in ms. */
export const LEASE = 1500;

/**
 * Makes a backend on a connection to the server at a port, whose leases last for `LEASE` ms unless it is told.
 *
 * @param ports - of a server with several: those under which it is reached, by its own
 */
export type Connect = (
  port: number,
  lease?: number,
  ports?: ReadonlyMap<number, number>,
) => Promise<Connected>;

/** A node that is found at `<id>:1`, at the end of a cable to the server of its backend. */
export class BackendNode implements AsyncDisposable {
  readonly self: Announcement;
  readonly discovery: Discovery;
  readonly channels: Channels;
  /** What its discovery says. */
  readonly found: Queue<string> = new Queue("an event of a discovery");
  /** What arrives, as `<channel>: <text>`, and what its channels say. */
  readonly heard: Queue<string> = new Queue("a publication");
  /** Its discovery has said that another node has its id. */
  readonly taken: Promise<void>;
  readonly cable: Cables;
  #onTaken: () => void = () => {};
  readonly #cluster: string;
  readonly #connected: Connected;
  #lastFound = "";

  private constructor(cluster: string, id: string, cable: Cables, connected: Connected) {
    this.taken = new Promise((resolve) => (this.#onTaken = resolve));
    this.#cluster = cluster;
    this.cable = cable;
    this.#connected = connected;
    this.self = { id, epoch: randomBytes(9).toString("base64url"), address: `${id}:1` };
    this.discovery = connected.backend.discovery;
    this.channels = connected.backend.channels!;
  }

  /** @param ports - those of the server */
  static async connect(
    cluster: string,
    id: string,
    ports: number | readonly number[],
    connect: Connect,
    lease?: number,
  ): Promise<BackendNode> {
    const cable = await Cables.to([ports].flat());
    return new BackendNode(cluster, id, cable, await connect(cable.port, lease, cable.ports));
  }

  /** Starts its discovery, and says where it is. */
  announce(): Promise<boolean> {
    this.startDiscovery();
    return this.discovery.announce(this.self);
  }

  startDiscovery(): void {
    this.discovery.start(this.#cluster, {
      onNodes: (nodes) => {
        const others = nodes.filter(({ address }) => address !== this.self.address);
        const found = others.map((node) => `${node.id}@${node.address}`).toSorted();
        if (String(found) !== this.#lastFound) this.found.push(`finds ${found.join(" and ") || "nobody"}`);
        this.#lastFound = String(found);
      },
      onTaken: () => {
        this.found.push("taken");
        this.#onTaken();
      },
      onAway: (error) => this.found.push(`away: ${(error as Error & { code: string }).code}`),
      onBack: () => this.found.push("back"),
    });
  }

  startChannels(): void {
    this.channels.start(this.#cluster, {
      onPublication: (channel, payload) => this.heard.push(`${channel}: ${payload.toString()}`),
      onAway: (error) => this.heard.push(`away: ${(error as Error & { code: string }).code}`),
      onBack: () => this.heard.push("back"),
      onConfirmed: () => {},
    });
  }

  /** Waits until it finds these, whatever it finds before. */
  async finds(...ids: string[]): Promise<void> {
    const awaited = `finds ${ids.map((id) => `${id}@${id}:1`).join(" and ") || "nobody"}`;
    while ((await this.found.next()) !== awaited);
  }

  publish(channel: number, text: string): void {
    this.channels.publish(channel, Buffer.from(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.discovery.close(), this.channels.close()]);
    await this.#connected[Symbol.asyncDispose]();
    await this.cable[Symbol.asyncDispose]();
  }
}
