import { cell, type Cell } from "../../support/cell.ts";
import { cellHosts, type CellHost } from "../../support/restartable.ts";
import { suite } from "../../support/after-test.ts";
import type { Client } from "./clients.ts";

/** Declares the tests of a client on each host. Each test closes what it opens, unless `declare` is `sharingSuite`. */
export function onEachHost(
  client: Client,
  transport: Cell["transport"],
  title: string,
  body: (host: CellHost) => void,
  declare: typeof suite = suite,
): void {
  const part = "Chromium with socket.io-client";
  for (const host of cellHosts) {
    const place: Cell = { group: "Browsers", part, version: client.version, host, transport };
    cell(place, () => declare(title, () => body(host)));
  }
}

/** The client options for each way to connect. */
export const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
} satisfies Partial<Record<Cell["transport"], object>>;

/** The names of the ways. */
export const wayNames: readonly (keyof typeof ways)[] = ["polling", "websocket", "upgrade"];
