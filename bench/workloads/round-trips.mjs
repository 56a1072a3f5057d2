// Echoes, acknowledgements and echoes of binary data: clients send a request for each answer.
import { clientFrame } from "../client/frames.mjs";
import { withFleet } from "../client/fleet.mjs";
import { ExpectedStream } from "../client/stream.mjs";
import { binaryPayload, payload, SLOTS } from "../harness/payload.mjs";

const FIRST_ID = 1000;
const slots = Array.from({ length: SLOTS }, (_, n) => n);
const echoes = slots.map((n) => [`42${JSON.stringify(["echo", payload(n)])}`]);
const questions = slots.map((n) => [`42${FIRST_ID + n}${JSON.stringify(["ask", payload(n)])}`]);
const answers = slots.map((n) => [`43${FIRST_ID + n}${JSON.stringify([payload(n)])}`]);
export const echo = { requests: echoes, answers: echoes };
const binaryEvent = `451-${JSON.stringify(["echo", { _placeholder: true, num: 0 }])}`;
const binaries = slots.map((n) => [binaryEvent, binaryPayload(n)]);

/**
 * Every client keeps `outstanding` requests pending until it has sent its share. Requests and answers repeat in order.
 *
 * @param exchange `requests` and `answers`: the contents of the frames of each message, all of one length
 * @param connect makes a connection; by default, over WebSocket from the start
 * @returns server CPU per round trip, in µs
 */
export function roundTrips(context, outstanding, exchange, connect) {
  const { server, size } = context;
  const { clients } = size;
  const frames = exchange.requests.map((contents) =>
    Buffer.concat(contents.map((content) => clientFrame(content))),
  );
  const { length } = frames[0];
  // Doubled, so that any sequence of requests is one slice.
  const ring = Buffer.concat([...frames, ...frames]);

  const work = async (fleet) => {
    await fleet.grow(clients);
    fleet.expect(new ExpectedStream(exchange.answers));
    let share = 0;

    function send(connection, count) {
      const now = Math.min(count, share - connection.sent, frames.length);
      if (now <= 0) return;
      const at = (connection.sent % frames.length) * length;
      connection.sent += now;
      connection.write(ring.subarray(at, at + now * length));
    }

    fleet.onMessages = send;
    const run = (total) => {
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
  };
  return withFleet(context, work, connect);
}

/**
 * Two workloads, with one and with sixteen requests outstanding.
 *
 * @param each `budget`, and the numbers of round trips in `quick` and `full` runs: before the measurement, and in it
 * @returns {Workload[]}
 */
function workloads(name, what, exchange, each) {
  return [1, 16].map((outstanding, i) => {
    const { budget, quick, full } = each[i];
    const sizeOf = ([warmup, measured], clients = 100) => ({ clients, warmup, measured });
    return {
      name: `${name}-${outstanding}`,
      title: ({ clients }) => `${what}, ${clients} clients, ${outstanding} outstanding`,
      metrics: [{ key: "cpu", unit: "µs server CPU per round trip", budget }],
      sizes: { smoke: sizeOf([64, 640], 4), quick: sizeOf(quick), full: sizeOf(full) },
      run: async (context) => ({ cpu: await roundTrips(context, outstanding, exchange) }),
    };
  });
}

/** @type {Limits} */
const short = { "floor-uws": 1.1, bun: 1 };
/** @type {Limits} */
const binary = { "floor-uws": 1.25 };

export default [
  ...workloads("echo", "echo", echo, [
    { budget: { uws: short, node: { "official-ws": 0.6 } }, quick: [8000, 16_000], full: [40_000, 200_000] },
    {
      budget: { uws: short, node: { "official-ws": 0.35 } },
      quick: [60_000, 40_000],
      full: [100_000, 600_000],
    },
  ]),
  ...workloads("ack", "ack", { requests: questions, answers }, [
    { budget: { uws: short, node: { "official-ws": 0.6 } }, quick: [8000, 16_000], full: [40_000, 200_000] },
    {
      budget: { uws: short, node: { "official-ws": 0.4 } },
      quick: [60_000, 40_000],
      full: [100_000, 600_000],
    },
  ]),
  ...workloads("binary", "echo of 1 KB binary", { requests: binaries, answers: binaries }, [
    { budget: { uws: binary, node: { "official-ws": 0.6 } }, quick: [6000, 12_000], full: [40_000, 200_000] },
    {
      budget: { uws: binary, node: { "official-ws": 0.45 } },
      quick: [40_000, 20_000],
      full: [100_000, 400_000],
    },
  ]),
];
