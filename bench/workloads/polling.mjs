// Every client sends packets with POST and receives them with GET, one at a time, on a connection for each.
import { Arrivals, checkHost } from "../client/fleet.mjs";
import { HttpConnection, openSession, pathOf, request } from "../client/polling.mjs";
import { payload, SLOTS } from "../harness/payload.mjs";

const packets = Array.from({ length: SLOTS }, (_, n) => `42${JSON.stringify(["echo", payload(n)])}`);

class PollingClient {
  #get = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #requests = [];
  #sent = 0;
  /** Missing responses of a round trip, out of two. */
  #missing = 0;
  /** The number of round trips to make. */
  share = 0;

  /** @param port that of the requests once the session is open */
  constructor({ server, variant }, port, arrivals) {
    this.arrivals = arrivals;
    this.host = variant.host;
    const fail = (error) => arrivals.fail(error);
    this.handshake = new HttpConnection(server.port, fail);
    this.gets = new HttpConnection(port, fail);
    this.posts = new HttpConnection(port, fail);
  }

  open() {
    const opened = (sid, head) => {
      this.handshake.destroy();
      checkHost(head, this.host);
      this.#get = request(pathOf(sid));
      this.#requests = packets.map((packet) => request(pathOf(sid), packet));
      this.arrivals.arrived(1);
    };
    openSession(this.handshake, opened, (error) => this.arrivals.fail(error));
  }

  /** Sends a GET, which waits, and the POST that completes it. Repeats when both are answered. */
  next() {
    if (this.#sent === this.share) return;
    const slot = this.#sent++ % packets.length;
    this.#missing = 2;
    this.gets.send(this.#get, (body) => this.#check(body, packets[slot]));
    this.posts.send(this.#requests[slot], (body) => this.#check(body, "ok"));
  }

  #check(body, wanted) {
    if (body !== wanted) this.arrivals.fail(new Error(`a request was answered with ${JSON.stringify(body)}`));
    if (--this.#missing > 0) return;
    this.arrivals.arrived(1);
    this.next();
  }

  destroy() {
    this.handshake.destroy();
    this.gets.destroy();
    this.posts.destroy();
  }
}

/**
 * Every client makes one round trip after the other.
 *
 * @param port where the clients send their requests once their sessions are open
 * @returns server CPU per round trip, in µs
 */
export async function pollingRoundTrips(context, port = context.server.port) {
  const { server, size } = context;
  const arrivals = new Arrivals();
  const clients = Array.from({ length: size.clients }, () => new PollingClient(context, port, arrivals));
  const run = (each) =>
    arrivals.during(each * clients.length, "round trips were made", () => {
      for (const client of clients) {
        client.share += each;
        client.next();
      }
    });
  try {
    await arrivals.during(clients.length, "sessions opened", () => {
      for (const client of clients) client.open();
    });
    await run(Math.ceil(size.warmup / clients.length));
    const each = Math.ceil(size.measured / clients.length);
    const cpu = await server.cpuDuring(() => run(each));
    arrivals.check();
    return cpu / (each * clients.length);
  } finally {
    for (const client of clients) client.destroy();
  }
}

/** @type {Workload} */
export default {
  name: "polling",
  title: ({ clients }) => `long-polling echo, ${clients} clients`,
  metrics: [
    {
      key: "cpu",
      unit: "µs server CPU per round trip",
      budget: { uws: { "floor-uws": 1.15 }, node: { "official-ws": 0.75 } },
    },
  ],
  sizes: {
    smoke: { clients: 4, warmup: 20, measured: 60 },
    quick: { clients: 100, warmup: 3000, measured: 5000 },
    full: { clients: 100, warmup: 20_000, measured: 60_000 },
  },

  run: async (context) => ({ cpu: await pollingRoundTrips(context) }),
};
