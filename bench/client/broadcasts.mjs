import { payload, SLOTS } from "../harness/payload.mjs";
import { withFleet } from "./fleet.mjs";
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

/**
 * Calls `work` with a function that measures broadcasts of a server which arrive at clients of its own and at those of its partner: what
 * a message costs the two processes, in µs of CPU.
 */
export async function withPartner({ server, variant, size }, work) {
  const port = await server.call("partnerPort");
  return withFleet({ server, variant }, (near) =>
    withFleet({ server: { port }, variant }, async (far) => {
      await near.grow(size.near);
      await far.grow(size.far);
      for (const fleet of [near, far]) fleet.expect(newsStream);
      const send = broadcastsOfBoth(server, near, far);
      return work(async ({ warmup, messages, atOnce, action }) => {
        await send(warmup, atOnce, action);
        await server.call("partnerCpuStart");
        const publisher = await server.cpuDuring(() => send(messages, atOnce, action));
        const receiver = await server.call("partnerCpuStop");
        return { publisher: publisher / messages, receiver: receiver / messages };
      });
    }),
  );
}

/**
 * Returns a function that lets a server broadcast a number of messages, so many of them at once, each time after the previous ones have
 * arrived everywhere: at clients of its own and at those of its partner. The connections must expect `newsStream`.
 *
 * @param action what broadcasts so many: `newsOfBoth` in one tick, `newsOfBothInTurns` in as many
 */
function broadcastsOfBoth(server, near, far) {
  const fleets = [near, far];
  let next = 0;
  return async (messages, atOnce, action = "newsOfBoth") => {
    for (let sent = 0; sent < messages; sent += atOnce) {
      // The message is sent once all wait for it.
      const arrivals = fleets.map((fleet) => {
        const start = () => fleet === far && server.notify(action, next, atOnce);
        return fleet.during(fleet.connections.length * atOnce, "broadcast messages arrived", start);
      });
      await Promise.all(arrivals);
      next += atOnce;
    }
  };
}
