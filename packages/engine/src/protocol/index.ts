import type { Query } from "../http/query.ts";
import type { Protocol } from "./protocol.ts";
import { v3 } from "./v3.ts";
import { v4 } from "./v4.ts";

export type { Protocol } from "./protocol.ts";
export { v3, v4 };

/** The protocol a request speaks. Clients of v3 do not always say. */
export function protocolOf(query: Query): Protocol {
  return query["EIO"] === "4" ? v4 : v3;
}
