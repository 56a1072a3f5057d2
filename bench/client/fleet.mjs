// All connections of the load generator to one server, and the wait for what they are to receive.
import { Arrivals } from "./arrivals.mjs";
import { Connection } from "./connection.mjs";

const HANDSHAKES_AT_ONCE = 50;

/** Whether the server has uWebSockets.js under it, by the head of a response. */
const isUws = (head) => /^uWebSockets:/im.test(head);

/**
 * @param head of any response of the server
 * @param host who is expected to answer
 * @throws {Error} when it is another
 */
export function checkHost(head, host) {
  if (host === "other") return;
  const found = isUws(head) ? "uws" : "node";
  if (found !== host) throw new Error(`the server runs on "${found}" instead of "${host}"`);
}

export class Fleet extends Arrivals {
  /** Those that are open. @type {Connection[]} */
  connections = [];
  /** Called for each batch of messages that a connection received. @type {(connection: Connection, count: number) => void} */
  onMessages = () => {};
  /** Pings that came, on all connections. */
  pings = 0;

  #port;
  #host;
  #connect;
  /** @type {{ destroy(): void }[]} */
  #all = [];

  /**
   * @param host who is expected to answer
   * @param connect makes a connection
   */
  constructor(port, host, connect) {
    super();
    this.#port = port;
    this.#host = host;
    this.#connect = connect;
  }

  /** Opens connections, root namespace included, until there are `count`. */
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
   * Tells connections what they will receive.
   *
   * @param connections all of them by default
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

/** Runs `work` with a fleet, and closes it whatever happens. */
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
