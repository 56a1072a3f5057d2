import { payload, SLOTS } from "../harness/payload.mjs";
import { ExpectedStream } from "./stream.mjs";

/** The messages of `news`, in order. */
export const newsStream = new ExpectedStream(
  Array.from({ length: SLOTS }, (_, n) => [`42${JSON.stringify(["news", payload(n)])}`]),
);

/**
 * Returns a function that broadcasts messages for a number of ticks, each after the previous ones have arrived everywhere. The
 * connections must expect `newsStream`.
 *
 * @param perTick messages in one tick
 */
export function broadcastTicks(fleet, server, perTick) {
  let next = 0;
  return async (ticks) => {
    for (let i = 0; i < ticks; i++) {
      await fleet.during(fleet.connections.length * perTick, "broadcast messages arrived", () => {
        server.notify("news", next, perTick);
      });
      next += perTick;
    }
  };
}
