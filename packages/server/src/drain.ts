import { internals } from "@tidewire/engine";
import type { DisconnectReason } from "./reasons.ts";

const { clearTimeout, setTimeout } = internals.timers;
type Timer = ReturnType<typeof setTimeout>;

/** How {@link Server.drain} asks the clients to leave. */
export interface DrainOptions {
  /**
   * How long it may take, in ms. Clients that still have not received what was sent to them are cut off then.
   * @default 30000
   */
  within?: number;
  /**
   * How many clients leave at a time: a number, or a share of those connected at the beginning, such as `"5%"`.
   * @default as many as it takes for all of them to leave in the first 80% of `within`
   */
  batch?: number | `${number}%`;
  /**
   * How long to wait between two batches, in ms; each wait is up to a quarter shorter or longer.
   * @default 500
   */
  every?: number;
  /**
   * Stops it: the clients that are left stay, and new ones are accepted again.
   * @default none
   */
  signal?: AbortSignal;
}

const { duration, INVALID } = internals.optionRules;

const rules: internals.OptionRules = {
  within: duration,
  every: duration,
  batch: {
    expected: 'a number of clients, or a share such as "5%"',
    read(given) {
      const isShare = typeof given === "string" && given.endsWith("%");
      const number = Number(isShare ? given.slice(0, -1) : given);
      if (given === "" || !(number > 0)) return INVALID;
      return isShare ? given : number;
    },
  },
  signal: {
    expected: "an AbortSignal",
    read: (given) => (given instanceof AbortSignal ? given : INVALID),
  },
};

/** @throws OptionError for an invalid value */
export function readDrainOptions(given: DrainOptions): DrainOptions {
  internals.optionRules.warnOfUnknownOptions(given, rules);
  return internals.optionRules.readOptions(given, rules);
}

/** A connection of any engine. */
interface DrainedConnection {
  readonly readyState: string;
  close(discard?: boolean): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** Several sockets may share one. */
interface DrainedClient {
  readonly conn: DrainedConnection;
  readonly sockets: ReadonlyMap<string, { _onclose(reason: DisconnectReason): unknown }>;
}

/** The server whose clients leave. */
export interface DrainedServer {
  readonly namespaces: ReadonlyMap<
    string,
    { readonly sockets: ReadonlyMap<string, { readonly client: DrainedClient }> }
  >;
  readonly engine: { readonly clients: Record<string, DrainedConnection>; readonly clientsCount: number };
}

/**
 * Lets the clients of a server leave, in batches, so that those that come back elsewhere do not all do so at once. Each one is
 * disconnected as when the connection is lost: it gets what was sent to it, its connection closes, and it reconnects by itself. A
 * client that gets the packet DISCONNECT instead does not.
 */
export class Drain {
  readonly #server: DrainedServer;
  readonly #every: number;
  readonly #batch: number;
  readonly #deadline: Timer;
  #pause: Timer | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #isOver = false;

  constructor(server: DrainedServer, { within = 30_000, batch, every = 500 }: DrainOptions) {
    this.#server = server;
    this.#every = every;
    this.#batch = sizeOf(batch ?? shareOf(within, every), server.engine.clientsCount);
    this.#deadline = setTimeout(() => this.stop(), within);
  }

  /** Resolves when every client has left, or when it was stopped. */
  async run(): Promise<void> {
    // Listeners of `drain` come first.
    await Promise.resolve();
    while (!this.#isOver && this.#closeSome() > 0) await this.#wait();
    // The last ones may still be receiving what was sent to them.
    if (!this.#isOver) await this.#allClosed();
    clearTimeout(this.#deadline);
  }

  /** Lets nobody else leave, and does not wait for those who are about to. */
  stop(): void {
    this.#isOver = true;
    this.#resume?.();
  }

  /** Closes what is left, at once. */
  cut(): void {
    for (const connection of Object.values(this.#server.engine.clients)) connection.close(true);
  }

  /** @returns how many clients were asked to leave */
  #closeSome(): number {
    const clients = this.#someClients();
    for (const client of clients) {
      for (const socket of client.sockets.values()) socket._onclose("server shutting down");
      client.conn.close();
    }
    let count = clients.size;
    // Those that have joined no namespace.
    for (const connection of this.#open()) {
      if (count >= this.#batch) break;
      connection.close();
      count++;
    }
    return count;
  }

  #someClients(): Set<DrainedClient> {
    const clients = new Set<DrainedClient>();
    for (const { sockets } of this.#server.namespaces.values()) {
      for (const { client } of sockets.values()) {
        clients.add(client);
        if (clients.size === this.#batch) return clients;
      }
    }
    return clients;
  }

  *#open(): Iterable<DrainedConnection> {
    for (const connection of Object.values(this.#server.engine.clients)) {
      if (connection.readyState === "open") yield connection;
    }
  }

  #wait(): Promise<void> {
    return this.#until((resume) => {
      this.#pause = setTimeout(resume, this.#every * (0.75 + Math.random() / 2));
    });
  }

  #allClosed(): Promise<void> {
    const left = Object.values(this.#server.engine.clients);
    if (left.length === 0) return Promise.resolve();
    return this.#until((resume) => {
      let count = left.length;
      for (const connection of left) {
        connection.once("close", () => {
          count--;
          if (count === 0) resume();
        });
      }
    });
  }

  /** Resolves when it is resumed, or stopped. */
  #until(start: (resume: () => void) => void): Promise<void> {
    // A listener of a client that left may have stopped it.
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = () => {
        clearTimeout(this.#pause);
        resolve();
      };
      start(this.#resume);
    });
  }
}

/** The share of all clients that leaves at a time, so that the last one leaves after 80% of the time. */
function shareOf(within: number, every: number): `${number}%` {
  const batches = Math.max(1, Math.floor((within * 0.8) / Math.max(1, every)));
  return `${100 / batches}%`;
}

function sizeOf(batch: number | `${number}%`, count: number): number {
  const size = typeof batch === "number" ? batch : Math.ceil((count * Number.parseFloat(batch)) / 100);
  return Math.max(1, Math.floor(size));
}
