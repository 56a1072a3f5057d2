import { clientFrame } from "./frames.mjs";
import { ExpectedStream } from "./stream.mjs";
import { withFleet } from "./fleet.mjs";

/**
 * Every client keeps `outstanding` requests on their way until it has sent its share: one goes out for each answer that
 * comes in. Requests and answers are repeated in order, endlessly.
 *
 * @param {import("../types.d.ts").WorkloadContext} context sizes: clients, warmup, measured (the last two in all)
 * @param {object} exchange
 * @param {number} exchange.outstanding
 * @param {(string | Buffer)[][]} exchange.requests the contents of the frames of each message, all of one length
 * @param {(string | Buffer)[][]} exchange.answers to each of them, likewise
 * @returns {Promise<number>} server CPU per round trip, in µs
 */
export function roundTrips(context, { outstanding, requests, answers }) {
  const { server, size } = context;
  const clients = size.clients;
  const frames = requests.map((contents) => Buffer.concat(contents.map((content) => clientFrame(content))));
  const length = frames[0].length;
  if (outstanding > frames.length) throw new Error("more outstanding requests than different ones");
  // Twice over, so that any run of requests is one slice.
  const ring = Buffer.concat([...frames, ...frames]);

  return withFleet(context, async (fleet) => {
    await fleet.grow(clients);
    fleet.expect(new ExpectedStream(answers));
    let share = 0;

    /**
     * @param {import("./connection.mjs").Connection} connection
     * @param {number} count
     */
    function send(connection, count) {
      const now = Math.min(count, share - connection.sent, frames.length);
      if (now <= 0) return;
      const at = (connection.sent % frames.length) * length;
      connection.sent += now;
      connection.write(ring.subarray(at, at + now * length));
    }

    fleet.onMessages = send;
    const run = (/** @type {number} */ total) => {
      const each = Math.ceil(total / clients);
      share += each;
      return fleet.during(each * clients, "answers arrived", () => {
        for (const connection of fleet.connections) send(connection, outstanding);
      });
    };

    await run(size.warmup);
    const measured = Math.ceil(size.measured / clients) * clients;
    const cpu = await server.cpuDuring(() => run(measured));
    return cpu / measured;
  });
}
