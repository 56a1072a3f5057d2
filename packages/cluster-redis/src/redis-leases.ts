import type { Announcement, LeaseStore, Leases } from "@tidewire/cluster";
import type { RedisDriver } from "./driver/driver.ts";
import { RENEW } from "./script.ts";

/** Leases in Redis: one script renews one of them, and reads the others. A channel says when something has changed. */
export class RedisLeases implements LeaseStore {
  readonly #driver: RedisDriver;
  readonly #prefix: string;
  readonly #lease: number;
  #key = "";
  #onChange: (() => void) | undefined = undefined;
  #unsubscribe: (() => void) | undefined = undefined;
  #isSubscribing = false;

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
  }

  async renew(self: Announcement | undefined): Promise<Leases> {
    void this.#subscribe();
    const node = self === undefined ? [] : [self.id, self.epoch, self.address];
    const args = [this.#channel, String(this.#lease), ...node];
    const [isTaken, ...fields] = (await this.#driver.evaluate(RENEW, this.#key, args)) as [
      number,
      ...string[],
    ];
    const nodes = [];
    for (let i = 0; i < fields.length; i += 2) nodes.push({ id: fields[i]!, address: fields[i + 1]! });
    return { isTaken: isTaken === 1, nodes };
  }

  close(): Promise<void> {
    this.#onChange = undefined;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    return Promise.resolve();
  }

  get #channel(): string {
    return `${this.#key}:changes`;
  }

  async #subscribe(): Promise<void> {
    if (this.#onChange === undefined || this.#unsubscribe !== undefined || this.#isSubscribing) return;
    this.#isSubscribing = true;
    try {
      const unsubscribe = await this.#driver.subscribe(this.#channel, () => this.#onChange?.());
      if (this.#onChange === undefined) unsubscribe();
      else this.#unsubscribe = unsubscribe;
      // Of what has changed before, the channel has said nothing.
      this.#onChange?.();
    } catch {
      // It is tried again, and nodes are looked for all the same.
    } finally {
      this.#isSubscribing = false;
    }
  }
}
