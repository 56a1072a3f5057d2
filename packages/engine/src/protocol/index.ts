import type { Query } from "../http/query.ts";
import type { Protocol } from "./protocol.ts";
import { v3 } from "./v3.ts";
import { v4 } from "./v4.ts";

export type { Protocol } from "./protocol.ts";
export { v3, v4 };

/** The protocol that a request speaks. Not every client of v3 names it. */
export function protocolOf(query: Query): Protocol {
  return query["EIO"] === "4" ? v4 : v3;
}
