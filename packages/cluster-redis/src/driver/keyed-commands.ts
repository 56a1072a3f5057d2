/** That of a client of a cluster. Without a key, any server gets it. */
type SendInCluster = (
  key: string | undefined,
  isReadOnly: boolean,
  args: readonly (string | Buffer)[],
  options?: object,
) => Promise<unknown>;

/** What is needed of a cluster of `redis`. */
export interface ClusterClient {
  readonly isOpen: boolean;
  sendCommand: SendInCluster;
}

/** A command under way. */
interface Sent {
  readonly key: string;
}

/** How long a server may take to answer before another one is asked, in ms. */
const IMPATIENCE = 500;

/**
 * Sends commands of a cluster to the servers that have their keys, and follows keys that move. `eval()` of version 4 does not see the
 * key: it asks servers at random, looks up all slots again after each wrong one, and gives up after eight, with the error `MOVED`.
 *
 * When a server has died, version 4 keeps dialling it, and commands wait. Any other server then says where the key is now: the client
 * looks up all slots again, drops the dead server, and rejects what waits for it.
 */
export class KeyedCommands {
  readonly #client: ClusterClient;
  /** Those that have no answer, the oldest first. */
  readonly #waiting: Set<Sent> = new Set();
  /** The key of one that has failed since the last look. */
  #failed: string | undefined = undefined;
  #isWatching = false;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  async send(key: string, args: readonly (string | Buffer)[], options?: object): Promise<unknown> {
    const sent: Sent = { key };
    this.#waiting.add(sent);
    this.#watch();
    try {
      return await this.#client.sendCommand(key, false, args, options);
    } catch (error) {
      this.#failed = key;
      throw error;
    } finally {
      this.#waiting.delete(sent);
    }
  }

  get #oldest(): Sent | undefined {
    const [oldest] = this.#waiting;
    return oldest;
  }

  /** One timer for all commands. */
  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const known = this.#oldest;
    setTimeout(() => {
      const oldest = this.#oldest;
      const key = oldest !== undefined && oldest === known ? oldest.key : this.#failed;
      if (key !== undefined) this.#ask(key);
      this.#isWatching = false;
      this.#failed = undefined;
      if (oldest !== undefined) this.#watch();
    }, IMPATIENCE).unref();
  }

  /** Asks any server. One that is closed has none: version 4 would look for one in a loop without an end. */
  #ask(key: string): void {
    if (!this.#client.isOpen) return;
    this.#client.sendCommand(undefined, false, ["EXISTS", key]).catch(ignore);
  }
}

function ignore(): void {}
