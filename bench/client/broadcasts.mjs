import { payload, SLOTS } from "../harness/payload.mjs";
import { ExpectedStream } from "./stream.mjs";
import { withFleet } from "./fleet.mjs";

/** The messages of `news`, in order. */
export const newsMessages = Array.from({ length: SLOTS }, (_, n) => [
  `42${JSON.stringify(["news", payload(n)])}`,
]);

export const newsStream = new ExpectedStream(newsMessages);

/**
 * Makes a function that emits messages to everyone for a number of ticks, each time when all have arrived everywhere.
 * The connections are to expect `newsStream` from now on.
 *
 * @param {import("./fleet.mjs").Fleet} fleet
 * @param {import("../types.d.ts").ServerHandle} server
 * @param {number} perTick messages in one tick
 */
export function broadcastTicks(fleet, server, perTick) {
  let next = 0;
  return async (/** @type {number} */ ticks) => {
    for (let i = 0; i < ticks; i++) {
      await fleet.during(fleet.connections.length * perTick, "broadcast messages arrived", () => {
        server.notify("news", next, perTick);
      });
      next += perTick;
    }
  };
}

/**
 * @param {import("../types.d.ts").WorkloadContext} context sizes: clients, warmup, measured (the last two in ticks)
 * @param {number[]} perTicks how many messages in one tick, one measurement after the other
 * @returns {Promise<Record<string, number>>} server CPU per message and receiver, in µs, by `cpu` and the count
 */
export function broadcasts(context, perTicks) {
  const { server, size } = context;
  return withFleet(context, async (fleet) => {
    await fleet.grow(size.clients);
    /** @type {Record<string, number>} */
    const figures = {};
    for (const perTick of perTicks) {
      fleet.expect(newsStream);
      const tick = broadcastTicks(fleet, server, perTick);
      await tick(size.warmup);
      const cpu = await server.cpuDuring(() => tick(size.measured));
      figures[`cpu${perTick}`] = cpu / (size.measured * size.clients * perTick);
    }
    return figures;
  });
}
