// All connections of the load generator to one server, and the wait for what they are to receive.
import { Connection } from "./connection.mjs";

/** @typedef {import("./stream.mjs").ExpectedStream} ExpectedStream */

const HANDSHAKES_AT_ONCE = 50;
const STALL_TIMEOUT = 15_000;

export class Fleet {
  /** @type {Connection[]} */
  connections = [];
  /** Called for each batch of messages that a connection received. @type {(connection: Connection, count: number) => void} */
  onMessages = () => {};

  #port;
  #host;
  /** What is still to come: connections to open, or messages to receive. */
  #pending = 0;
  #wanted = 0;
  /** @type {Error | undefined} */
  #failure;
  /** @type {{ resolve(): void, reject(error: Error): void } | undefined} */
  #wait;

  /**
   * @param {number} port
   * @param {import("../types.d.ts").Variant["host"]} host who is expected to answer
   */
  constructor(port, host) {
    this.#port = port;
    this.#host = host;
  }

  /**
   * Opens connections, root namespace included, until there are `count`.
   *
   * @param {number} count
   */
  async grow(count) {
    let missing = count - this.connections.length;
    let busy = 0;
    const more = () => {
      while (missing > 0 && busy < HANDSHAKES_AT_ONCE) {
        missing--;
        busy++;
        const connection = new Connection(this.#port, {
          onOpen: (opened) => {
            busy--;
            more();
            this.#checkHost(opened);
            this.#arrived(1);
          },
          onMessages: (receiver, messages) => {
            this.onMessages(receiver, messages);
            this.#arrived(messages);
          },
          onFailure: (error) => this.#fail(error),
        });
        this.connections.push(connection);
      }
    };
    await this.during(missing, "connections opened", more);
  }

  /**
   * Tells every connection what it will receive.
   *
   * @param {ExpectedStream} stream
   */
  expect(stream) {
    for (const connection of this.connections) connection.expect(stream);
  }

  /**
   * Runs `start` and waits until all connections together received `count` messages.
   *
   * @param {number} count
   * @param {string} what for the error when they do not come
   * @param {() => void} start
   * @returns {Promise<void>}
   */
  async during(count, what, start) {
    if (this.#failure) throw this.#failure;
    if (this.#wait) throw new Error("the fleet is already waiting");
    if (count <= 0) return;
    this.#pending = count;
    this.#wanted = count;
    let before = count;
    const watch = setInterval(() => {
      if (this.#pending === before) {
        this.#fail(new Error(`only ${this.#wanted - this.#pending} of ${this.#wanted} ${what}`));
      }
      before = this.#pending;
    }, STALL_TIMEOUT);
    try {
      await new Promise((resolve, reject) => {
        this.#wait = { resolve: () => resolve(undefined), reject };
        start();
      });
    } finally {
      clearInterval(watch);
      this.#wait = undefined;
    }
  }

  /** Throws if anything went wrong since it was last asked. */
  check() {
    if (this.#failure) throw this.#failure;
  }

  close() {
    for (const connection of this.connections) connection.destroy();
    this.connections = [];
  }

  /** @param {number} count */
  #arrived(count) {
    this.#pending -= count;
    if (this.#pending === 0) this.#wait?.resolve();
    else if (this.#pending < 0) this.#fail(new Error("more messages came than were to come"));
  }

  /** @param {Connection} connection */
  #checkHost({ responseHead }) {
    if (this.#host === "other") return;
    const found = /^uWebSockets:/im.test(responseHead) ? "uws" : "node";
    if (found !== this.#host)
      this.#fail(new Error(`the server runs on "${found}" instead of "${this.#host}"`));
  }

  /** @param {Error} error */
  #fail(error) {
    this.#failure ??= error;
    this.#wait?.reject(this.#failure);
  }
}

/**
 * Runs `work` with a fleet, and closes it whatever happens.
 *
 * @template T
 * @param {import("../types.d.ts").WorkloadContext} context
 * @param {(fleet: Fleet) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withFleet({ server, variant }, work) {
  const fleet = new Fleet(server.port, variant.host);
  try {
    const result = await work(fleet);
    fleet.check();
    return result;
  } finally {
    fleet.close();
  }
}
