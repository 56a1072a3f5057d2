import { roundTrips } from "./round-trips.mjs";

/** @typedef {import("../types.d.ts").Workload} Workload */

/**
 * A workload of questions and answers: clients ask, and ask again when answered.
 *
 * @param {string} name of the kind; the workload's is followed by the number outstanding
 * @param {string} what it is, in the report
 * @param {{ requests: (string | Buffer)[][], answers: (string | Buffer)[][] }} messages one entry per slot, in wire form
 * @returns {(outstanding: number, order: number, budget: Workload["metrics"][number]["budget"], sizes: Workload["sizes"]) => Workload}
 */
export function roundTripWorkload(name, what, messages) {
  return (outstanding, order, budget, sizes) => ({
    name: `${name}-${outstanding}`,
    title: ({ clients }) => `${what}, ${clients} clients, ${outstanding} outstanding`,
    order,
    metrics: [{ key: "cpu", unit: "µs server CPU per round trip", budget }],
    sizes,
    async run(context) {
      return { cpu: await roundTrips(context, { outstanding, ...messages }) };
    },
  });
}
