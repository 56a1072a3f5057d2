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

/** How long a test may take before it counts as failed, in milliseconds; a suite within a cell may set its own. */
export const CELL_TIMEOUT = 30_000;

/** Declares the tests of a cell. A cell may be declared in several places; the table adds them up. */
export function cell(place: Cell, body: (this: Mocha.Suite) => void): void {
  const title = `${place.part} ${place.version} · ${place.host} · ${place.transport}`;
  const suite = describe(title, function () {
    this.timeout(CELL_TIMEOUT);
    body.call(this);
  });
  // the mark by which the recorder finds it
  Object.defineProperty(suite, "compatCell", { value: place });
}

/** Declares one test, or names it as {@link unsupported} where a part cannot pass it. */
export type Declare = (name: string, body: () => Promise<void>) => void;

/** Names a test that the part cannot pass, on any server, and why; the report links to the reason. */
export function unsupported(title: string, reason: string): void {
  it(`${title} [not supported: ${reason}]`);
}
