// A cell of the compatibility table: one published part, on one host, over one transport. The report counts the tests in it.

/** The sections of the table. */
export type Group =
  | "Official clients"
  | "Browsers"
  | "Other languages"
  | "Official server"
  | "Published packages";

/** Where a test belongs in the table: the row is part and version, the column is host and transport. */
export interface Cell {
  group: Group;
  /** The name under which the part is published, e.g. `socket.io-client`. */
  part: string;
  version: string;
  host: "uws" | "node";
  /** `polling`, `websocket`, `upgrade`, `webtransport`, or `any` where the part does not choose. */
  transport: "polling" | "websocket" | "upgrade" | "webtransport" | "any";
}

/** True in the full form of the suite; the quick form, which is part of `npm test`, leaves out repetition. */
export const isFull: boolean = process.env["COMPAT"] === "full";

/** The mark by which the reporter finds the cell of a suite. */
export const CELL = "compatCell";

/** Declares the tests of a cell. */
export function cell(place: Cell, body: () => void): void {
  const suite = describe(`${place.part} ${place.version} · ${place.host} · ${place.transport}`, body);
  Object.defineProperty(suite, CELL, { value: place });
}

/** Names a test that the part cannot pass, on any server, and why; the report links to the reason. */
export function unsupported(title: string, reason: string): void {
  it(`${title} [not supported: ${reason}]`);
}
