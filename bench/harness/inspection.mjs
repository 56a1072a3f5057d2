// What the inspector does once a second while a page is open. Applications cannot import these classes.
import { internals } from "@tidewire/server";

/** The types come from the sources, which need no build. */
const watching = (name) => new URL(`../../packages/inspector/dist/watching/${name}.js`, import.meta.url).href;
/** @type {typeof import("../../packages/inspector/src/watching/connection-list.ts")} */
const { ConnectionList } = await import(watching("connection-list"));
/** @type {typeof import("../../packages/inspector/src/watching/overview.ts")} */
const { OverviewReader } = await import(watching("overview"));

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
