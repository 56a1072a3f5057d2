import { internals } from "@tidewire/server";
import { Broadcasting } from "../broadcasting/broadcasting.ts";
import type { Members } from "../members.ts";
import { JournalAdapter } from "./journal-adapter.ts";
import type { JournalNamespace } from "./journal-adapter.ts";
import { JournalBus } from "./journal-bus.ts";
import type { Journaling, JournalingHandlers } from "./journaling.ts";

/**
 * Returns the option `adapter` of a server with a journal.
 *
 * @param isTotallyOrdered - whether all clients of all nodes get broadcasts in the same order
 */
export function journalAdapter(
  journaling: Journaling,
  members: Members,
  isTotallyOrdered: boolean,
  onGap: JournalingHandlers["onGap"],
): (nsp: JournalNamespace) => JournalAdapter {
  const bus = new JournalBus(members, journaling);
  const broadcasting = new Broadcasting(bus, onGap);
  journaling.onForeignCast = (from, payload) => bus.receive(from, payload);
  return (nsp) => {
    const { server } = nsp;
    broadcasting.serve(server._nsps);
    journaling.settings = () => ({
      maxDisconnectionDuration: server.opts.connectionStateRecovery?.maxDisconnectionDuration ?? 0,
      // The engine may be created after the adapters.
      blindTime: internals.blindTimeOf(server),
    });
    return new JournalAdapter(nsp, { broadcasting, bus, journaling, isTotallyOrdered });
  };
}
