import { payload, SLOTS } from "../payload.mjs";
import { ExpectedStream } from "./stream.mjs";
import { withFleet } from "./fleet.mjs";

/**
 * The server emits some messages to everyone in one tick, and again when all of them have arrived everywhere.
 *
 * @param {import("../types.d.ts").WorkloadContext} context sizes: clients, warmup, measured (the last two in ticks)
 * @param {number[]} perTicks how many messages in one tick, one measurement after the other
 * @returns {Promise<Record<string, number>>} server CPU per message and receiver, in µs, by `cpu` and the count
 */
export function broadcasts(context, perTicks) {
  const { server, size } = context;
  const clients = size.clients;
  const messages = Array.from({ length: SLOTS }, (_, n) => [`42${JSON.stringify(["news", payload(n)])}`]);

  return withFleet(context, async (fleet) => {
    await fleet.grow(clients);
    fleet.expect(new ExpectedStream(messages));
    let next = 0;
    /** @type {Record<string, number>} */
    const figures = {};
    for (const perTick of perTicks) {
      const run = async (/** @type {number} */ ticks) => {
        for (let i = 0; i < ticks; i++) {
          await fleet.during(clients * perTick, "broadcast messages arrived", () => {
            server.notify("news", next, perTick);
          });
          next += perTick;
        }
      };
      await run(size.warmup);
      const cpu = await server.cpuDuring(() => run(size.measured));
      figures[`cpu${perTick}`] = cpu / (size.measured * clients * perTick);
    }
    return figures;
  });
}
