import type { Announcement, LeaseStore, Leases } from "@tidewire/cluster";
import type { RedisDriver, Subscriber } from "./driver/driver.ts";
import { RENEW } from "./script.ts";

/** Leases in Redis: one script renews one of them, and reads the others. A channel says when something has changed. */
export class RedisLeases implements LeaseStore {
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  readonly #lease: number;
  #key = "";
  #onChange: (() => void) | undefined = undefined;
  #subscriber: Subscriber | undefined = undefined;
  /** Whether its subscription was refused. */
  #isRefused = false;

  /**
   * @param prefix - of the keys and channels
   * @param lease - in ms
   */
  constructor(driver: RedisDriver, prefix: string, lease: number) {
    this.#driver = driver;
    this.#prefix = prefix;
    this.#lease = lease;
  }

  open(cluster: string, onChange: () => void): void {
    // The braces keep what belongs together in one slot of Redis Cluster.
    this.#key = `${this.#prefix}:{${cluster}}:nodes`;
    this.#onChange = onChange;
    this.#listen();
  }

  async renew(self: Announcement | undefined): Promise<Leases> {
    this.#listenAgain();
    const node = self === undefined ? [] : [self.id, self.epoch, self.address];
    const args = [this.#channel, String(this.#lease), ...node];
    const [isTaken, ...fields] = (await this.#driver.evaluate(RENEW, this.#key, args)) as [
      number,
      ...string[],
    ];
    const nodes: { id: string; address: string }[] = [];
    for (let i = 0; i < fields.length; i += 2) nodes.push({ id: fields[i]!, address: fields[i + 1]! });
    return { isTaken: isTaken === 1, nodes };
  }

  close(): Promise<void> {
    this.#onChange = undefined;
    this.#subscriber?.close();
    this.#subscriber = undefined;
    return Promise.resolve();
  }

  get #channel(): string {
    return `${this.#key}:changes`;
  }

  #listen(): void {
    const subscriber = this.#driver.openSubscriber(
      {
        onMessage: () => this.#onChange?.(),
        onOpen: () => void this.#subscribe(subscriber),
        // Nodes are looked for all the same, and the client of the application has the same errors.
        onClose: ignore,
        onError: ignore,
      },
      false,
    );
    this.#subscriber = subscriber;
  }

  /** A node that leaves renews its lease once more. */
  #listenAgain(): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined) return;
    if (subscriber.hasEnded) this.#listen();
    else if (this.#isRefused) void this.#subscribe(subscriber);
  }

  async #subscribe(subscriber: Subscriber): Promise<void> {
    if (this.#subscriber !== subscriber) return;
    this.#isRefused = false;
    try {
      await subscriber.subscribe(this.#channel, false);
      // Of what has changed before, the channel has said nothing.
      if (this.#subscriber === subscriber) this.#onChange?.();
    } catch {
      this.#isRefused = true;
    }
  }
}

function ignore(): void {}
