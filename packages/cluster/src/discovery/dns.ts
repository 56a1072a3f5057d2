import { lookup } from "node:dns/promises";
import { isSystemError } from "../socket-directory.ts";
import { formatAddress, parseAddress } from "../machines/address.ts";
import { ClusterError } from "../errors.ts";
import type { Discovery, DiscoveryHandlers } from "./discovery.ts";

/** How often to look up the name, in ms. */
const INTERVAL = 2000;

/** What says that there is no node yet, rather than that names cannot be looked up. */
const NO_NODES: ReadonlySet<string | undefined> = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * Finds the nodes by names whose addresses are theirs, such as that of a headless service of Kubernetes, or by the addresses
 * themselves. All nodes of a name listen on its port, so there is one per address. Names lease no ids: two nodes that choose the same
 * one, which happens once in millions of times, notice when they meet.
 *
 * @param addresses - `name:port`
 * @throws ClusterError (`BAD_ADDRESS`)
 *
 * @example
 * const io = new Server(3000, {
 *   cluster: cluster({
 *     listen: { port: 4000, secret: process.env.CLUSTER_SECRET },
 *     discovery: dns("chat-nodes.default.svc.cluster.local:4000"),
 *   }),
 * });
 */
export function dns(...addresses: readonly string[]): Discovery {
  return new DnsDiscovery(addresses);
}

class DnsDiscovery implements Discovery {
  readonly #names: readonly { host: string; port: number }[];
  #handlers: DiscoveryHandlers | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isLooking = false;
  /** Somebody wants to know what has changed since the look-up began. */
  #isDue = false;
  #isAway = false;

  constructor(addresses: readonly string[]) {
    this.#names = addresses.map(parseAddress);
  }

  start(_cluster: string, handlers: DiscoveryHandlers): void {
    this.#handlers = handlers;
    this.#timer = setInterval(() => this.refresh(), INTERVAL).unref();
    this.refresh();
  }

  announce(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** One look-up at a time: each takes a thread of Node's until the name server answers. */
  refresh(): void {
    if (this.#isLooking) this.#isDue = true;
    else void this.#lookUpAll();
  }

  close(): Promise<void> {
    this.#handlers = undefined;
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  async #lookUpAll(): Promise<void> {
    this.#isLooking = true;
    do {
      this.#isDue = false;
      await this.#lookUp();
    } while (this.#isDue && this.#handlers !== undefined);
    this.#isLooking = false;
  }

  async #lookUp(): Promise<void> {
    const handlers = this.#handlers;
    try {
      const found = await Promise.all(this.#names.map(addressesOf));
      if (this.#handlers !== handlers || handlers === undefined) return;
      if (this.#isAway) {
        this.#isAway = false;
        handlers.onBack();
      }
      handlers.onNodes(found.flat().map((address) => ({ id: undefined, address })));
    } catch (error) {
      if (this.#handlers !== handlers || this.#isAway) return;
      this.#isAway = true;
      handlers?.onAway(new ClusterError("DISCOVERY_AWAY", String(error), { cause: error }));
    }
  }
}

async function addressesOf({ host, port }: { host: string; port: number }): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => formatAddress(address, port));
  } catch (error) {
    if (isSystemError(error) && NO_NODES.has(error.code)) return [];
    throw error;
  }
}
