import { setTimeout as sleep } from "node:timers/promises";
import { withFleet } from "../client/fleet.mjs";
import { bounded } from "../client/scale.mjs";

const STEPS = /** @type {const} */ ({
  overview: "the sum",
  newest: "the list of the newest",
  search: "a search that finds nobody",
});

/** In ms. Between two steps the server does something else, as it does in the second between two updates of a page. */
const PAUSE = 20;

/** What an open page of the inspector costs a server with many clients. @type {Workload} */
export default {
  name: "inspector",
  title: ({ clients }) => `the inspector, ${clients} clients`,
  named: true,
  api: true,
  built: true,
  metrics: Object.entries(STEPS).map(([key, title]) => bounded(key, title, "ms")),
  sizes: {
    smoke: { clients: 20, times: 3 },
    quick: { clients: 10_000, times: 41 },
    full: { clients: 10_000, times: 101 },
  },
  async run(context) {
    const { server, size } = context;
    return withFleet(context, async (fleet) => {
      await fleet.grow(size.clients);
      const timesOf = Object.fromEntries(
        Object.keys(STEPS).map((step) => [step, /** @type {number[]} */ ([])]),
      );
      for (let time = 0; time < size.times; time++) {
        for (const [step, times] of Object.entries(timesOf)) {
          times.push(Number(await server.call("inspect", step)));
          await sleep(PAUSE);
        }
      }
      const median = (times) => times.toSorted((a, b) => a - b)[(times.length - 1) / 2];
      return Object.fromEntries(Object.entries(timesOf).map(([step, times]) => [step, median(times)]));
    });
  },
};
