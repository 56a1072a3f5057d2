import { Arrivals } from "./arrivals.mjs";
import { checkHost } from "./fleet.mjs";
import { HttpConnection, request } from "./http.mjs";
import { openSession, pathOf } from "./polling.mjs";

/** One client over long-polling: one connection for its GETs, another for its POSTs. */
class PollingClient {
  #gets;
  #posts;
  #owner;
  /** @type {Buffer} */
  #get = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #requests = [];
  /** @type {string[]} */
  #packets = [];
  #sent = 0;
  /** Of the two responses of a round trip. */
  #missing = 0;
  /** How many round trips it is to make in all. */
  share = 0;

  /**
   * @param {number} port
   * @param {Arrivals} owner
   */
  constructor(port, owner) {
    const fail = (/** @type {Error} */ error) => owner.fail(error);
    this.#owner = owner;
    this.#gets = new HttpConnection(port, fail);
    this.#posts = new HttpConnection(port, fail);
  }

  /**
   * @param {string[]} packets what is sent, one after the other, and must come back
   * @param {import("../types.d.ts").Variant["host"]} host who is expected to answer
   */
  open(packets, host) {
    openSession(
      this.#gets,
      (sid, head) => {
        checkHost(head, host);
        this.#get = request(pathOf(sid));
        this.#requests = packets.map((packet) => request(pathOf(sid), packet));
        this.#packets = packets;
        this.#owner.arrived(1);
      },
      (error) => this.#owner.fail(error),
    );
  }

  /** A GET that waits, and the POST that makes it answered; and again when both are. */
  next() {
    if (this.#sent === this.share) return;
    const slot = this.#sent++ % this.#requests.length;
    this.#missing = 2;
    this.#gets.send(this.#get, (body) => this.#check(body, this.#packets[slot]));
    this.#posts.send(this.#requests[slot], (body) => this.#check(body, "ok"));
  }

  /**
   * @param {string} body
   * @param {string} wanted
   */
  #check(body, wanted) {
    if (body !== wanted) this.#owner.fail(new Error(`a request was answered with ${JSON.stringify(body)}`));
    if (--this.#missing > 0) return;
    this.#owner.arrived(1);
    this.next();
  }

  destroy() {
    this.#gets.destroy();
    this.#posts.destroy();
  }
}

/**
 * Every client sends a packet by POST and receives it by GET, one after the other.
 *
 * @param {import("../types.d.ts").WorkloadContext} context sizes: clients, warmup, measured (the last two in all)
 * @param {string[]} packets of ASCII; they are sent in turn, and come back as they are
 * @returns {Promise<number>} server CPU per round trip, in µs
 */
export async function polls({ server, variant, size }, packets) {
  const arrivals = new Arrivals();
  const clients = Array.from({ length: size.clients }, () => new PollingClient(server.port, arrivals));
  const run = (/** @type {number} */ total) => {
    const each = Math.ceil(total / clients.length);
    return arrivals.during(each * clients.length, "round trips were made", () => {
      for (const client of clients) {
        client.share += each;
        client.next();
      }
    });
  };
  try {
    await arrivals.during(clients.length, "sessions opened", () => {
      for (const client of clients) client.open(packets, variant.host);
    });
    await run(size.warmup);
    const measured = Math.ceil(size.measured / clients.length) * clients.length;
    const cpu = await server.cpuDuring(() => run(measured));
    arrivals.check();
    return cpu / measured;
  } finally {
    for (const client of clients) client.destroy();
  }
}
