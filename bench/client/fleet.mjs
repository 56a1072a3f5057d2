// All connections of the load generator to a server.
import { Connection } from "./connection.mjs";

const STALL_TIMEOUT = 15_000;
const HANDSHAKES_AT_ONCE = 50;

/** Whether a response comes from uWebSockets.js. */
const isUws = (head) => /^uWebSockets:/im.test(head);

/**
 * @param head the headers of any response
 * @param host the expected host
 * @throws {Error} if it is another
 */
export function checkHost(head, host) {
  if (host === "other") return;
  const found = isUws(head) ? "uws" : "node";
  if (found !== host) throw new Error(`the server runs on "${found}" instead of "${host}"`);
}

/** Waits for a number of events on all connections together: connections opened, messages received. */
export class Arrivals {
  /** Missing events. */
  #pending = 0;
  #wanted = 0;
  #failure;
  #wait;

  /**
   * Runs `start`, and waits for `count` events.
   *
   * @param what describes the events in an error
   */
  async during(count, what, start) {
    if (this.#failure) throw this.#failure;
    if (this.#wait) throw new Error("another wait is pending");
    if (count <= 0) return;
    this.#pending = count;
    this.#wanted = count;
    let before = count;
    const watch = setInterval(() => {
      if (this.#pending === before) {
        this.fail(new Error(`only ${this.#wanted - this.#pending} of ${this.#wanted} ${what}`));
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

  arrived(count) {
    this.#pending -= count;
    if (this.#pending === 0) this.#wait?.resolve();
    else if (this.#pending < 0) this.fail(new Error("more arrived than expected"));
  }

  fail(error) {
    this.#failure ??= error;
    this.#wait?.reject(this.#failure);
  }

  /** Throws if anything has failed. */
  check() {
    if (this.#failure) throw this.#failure;
  }
}

export class Fleet extends Arrivals {
  /** Those that are open. @type {Connection[]} */
  connections = [];
  /** Called for each batch of messages that a connection received. @type {(connection: Connection, count: number) => void} */
  onMessages = () => {};
  /** Received pings of all connections. */
  pings = 0;

  #port;
  #host;
  #connect;
  /** @type {{ destroy(): void }[]} */
  #all = [];

  /**
   * @param host the expected host
   * @param connect makes a connection
   */
  constructor(port, host, connect) {
    super();
    this.#port = port;
    this.#host = host;
    this.#connect = connect;
  }

  /** Opens connections until there are `count`, with the root namespace joined. */
  async grow(count) {
    let missing = count - this.connections.length;
    let busy = 0;
    const more = () => {
      while (missing > 0 && busy < HANDSHAKES_AT_ONCE) {
        missing--;
        busy++;
        this.#all.push(
          this.#connect(this.#port, {
            onOpen: (opened) => {
              busy--;
              this.connections.push(opened);
              more();
              checkHost(opened.responseHead, this.#host);
              this.arrived(1);
            },
            onMessages: (receiver, messages) => {
              this.onMessages(receiver, messages);
              this.arrived(messages);
            },
            onPing: () => void this.pings++,
            onFailure: (error) => this.fail(error),
          }),
        );
      }
    };
    await this.during(missing, "connections opened", more);
  }

  /**
   * Sets the stream that connections expect.
   *
   * @param connections all by default
   */
  expect(stream, connections = this.connections) {
    for (const connection of connections) connection.expect(stream);
  }

  close() {
    for (const connection of this.#all) connection.destroy();
    this.#all = [];
    this.connections = [];
  }
}

/** Runs `work` with a fleet, and closes it afterwards. */
export async function withFleet(
  { server, variant },
  work,
  connect = (port, own) => new Connection(port, own),
) {
  const fleet = new Fleet(server.port, variant.host, connect);
  try {
    const result = await work(fleet);
    fleet.check();
    return result;
  } finally {
    fleet.close();
  }
}
