// What the inspector does once a second while a page is open. Applications cannot import these classes.
import { internals } from "@tidewire/server";
import { ConnectionList } from "../../packages/inspector/dist/watching/connection-list.js";
import { OverviewReader } from "../../packages/inspector/dist/watching/overview.js";

/** @returns {Record<string, () => unknown>} */
export function inspection(io) {
  const view = internals.viewOf(io);
  const overview = new OverviewReader(view);
  overview.start();
  const newest = new ConnectionList(view, {});
  const search = new ConnectionList(view, { text: "nobody" });
  return {
    overview: () => overview.read({ in: 0, out: 0 }),
    newest: () => newest.update(),
    search: () => search.update(),
  };
}
