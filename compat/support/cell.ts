// A cell of the compatibility table: one published part, on one host, over one transport. The report counts the tests in it.

/** The sections of the table. */
export type Group =
  | "Official clients"
  | "Browsers"
  | "Other languages"
  | "Official server"
  | "Published packages"
  | "Frameworks";

/** The place of a test in the table: the row is part and version, the column is host and transport. */
export interface Cell {
  group: Group;
  /** The name of the published part, e.g. `socket.io-client`. */
  part: string;
  version: string;
  host: "uws" | "node";
  /** `any` if the part does not choose the transport. */
  transport: "polling" | "websocket" | "upgrade" | "webtransport" | "any";
}

/** Whether this is the full form of the suite; the quick form, which is part of `npm test`, leaves out repetition. */
export const isFull: boolean = process.env["COMPAT"] === "full";

/** The timeout of a test, in milliseconds; a suite within a cell can set its own. */
export const CELL_TIMEOUT = 30_000;

/** Declares tests of a cell. Several places can declare tests of the same cell; the table adds them up. */
export function cell(place: Cell, body: (this: Mocha.Suite) => void): void {
  const title = `${place.part} ${place.version} · ${place.host} · ${place.transport}`;
  const suite = describe(title, function () {
    this.timeout(CELL_TIMEOUT);
    body.call(this);
  });
  // the recorder reads this
  Object.defineProperty(suite, "compatCell", { value: place });
}

/** Declares a test, or declares it as {@link unsupported} if the part cannot pass it. */
export type Declare = (name: string, body: () => Promise<void>) => void;

/** Declares a test that the part cannot pass with any server, and the reason, which the page shows. */
export function unsupported(title: string, reason: string): void {
  it(`${title} [not supported: ${reason}]`);
}
