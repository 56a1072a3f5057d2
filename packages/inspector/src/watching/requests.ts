import { createError } from "../errors.ts";
import type { ListQuery } from "./connection-list.ts";
import type { FeedFilter } from "./feed.ts";
import type { Kind } from "./occurrence.ts";
import type { RoomQuery } from "./room-list.ts";

/** How long a text of the page may be. */
const MAX_TEXT = 1000;

type Given = Readonly<Record<string, unknown>>;

function objectOf(given: unknown): Given {
  if (typeof given !== "object" || given === null) throw createError("INVALID_REQUEST");
  return given as Given;
}

function text(given: Given, name: string): string {
  const value = given[name] ?? "";
  if (typeof value !== "string" || value.length > MAX_TEXT) throw createError("INVALID_REQUEST");
  return value;
}

/** Each reader returns undefined for null, by which the page says that it no longer shows this. */
export function readListQuery(given: unknown): ListQuery | undefined {
  if (given === null) return undefined;
  const query = objectOf(given);
  const offset = query["offset"] ?? 0;
  const sort = query["sort"] ?? "newest";
  const isKnown = sort === "newest" || sort === "oldest" || sort === "waiting";
  if (!isKnown || !Number.isInteger(offset) || (offset as number) < 0) throw createError("INVALID_REQUEST");
  return {
    text: text(query, "text"),
    transport: text(query, "transport"),
    namespace: text(query, "namespace"),
    room: text(query, "room"),
    sort,
    offset: offset as number,
  };
}

export function readRoomQuery(given: unknown): RoomQuery | undefined {
  if (given === null) return undefined;
  const query = objectOf(given);
  return { namespace: text(query, "namespace"), text: text(query, "text") };
}

export function readFilter(given: unknown): FeedFilter | undefined {
  if (given === null) return undefined;
  const filter = objectOf(given);
  const kinds = filter["kinds"];
  if (!Array.isArray(kinds) || kinds.length > 20) throw createError("INVALID_REQUEST");
  return {
    kinds: kinds as readonly Kind[],
    name: text(filter, "name"),
    namespace: text(filter, "namespace"),
    socket: text(filter, "socket"),
  };
}

export function readClient(given: unknown): string | undefined {
  if (given === null) return undefined;
  return text(objectOf(given), "sid");
}
