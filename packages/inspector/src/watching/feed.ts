import { internals } from "@tidewire/engine";
import type { Hearer, Kind, Occurrence } from "./occurrence.ts";
import { preview, short } from "./preview.ts";

const { setTimeout, clearTimeout } = internals.timers;

/** How often the page gets what has happened, in ms. */
const INTERVAL = 250;
/** How many entries it gets each time; the others are counted. */
const MAX_ENTRIES = 40;
/** How many rooms of a broadcast are named. */
const MAX_ROOMS = 6;

/** What the feed is to show. */
export interface FeedFilter {
  readonly kinds?: readonly Kind[];
  /** A part of the name, in any case. */
  readonly name?: string;
  readonly namespace?: string;
  /** The id of a socket or of a connection. */
  readonly socket?: string;
}

/** An entry, as the page gets it. */
export interface FeedEntry {
  readonly at: number;
  readonly kind: Kind;
  readonly nsp: string;
  readonly name: string;
  readonly socket?: string;
  readonly sid?: string;
  readonly args?: readonly string[];
  readonly rooms?: readonly string[];
  readonly detail?: string;
}

export interface FeedBatch {
  readonly entries: readonly FeedEntry[];
  /** How many more there were. */
  readonly skipped: number;
}

function some(rooms: ReadonlySet<string> | undefined): string[] {
  const names: string[] = [];
  for (const room of rooms ?? []) {
    if (names.length === MAX_ROOMS) {
      names.push(`… ${rooms!.size - MAX_ROOMS} more`);
      break;
    }
    names.push(short(String(room), 60));
  }
  return names;
}

function entryOf({ kind, namespace, name, args, rooms, except, ...rest }: Occurrence): FeedEntry {
  const entry: Record<string, unknown> = { at: Date.now(), kind, nsp: short(namespace), name: short(name) };
  if (rest.socket !== undefined) entry["socket"] = rest.socket;
  if (rest.sid !== undefined) entry["sid"] = rest.sid;
  if (rest.detail !== undefined) entry["detail"] = short(rest.detail);
  if (args !== undefined) entry["args"] = preview(args);
  if (rooms !== undefined) entry["rooms"] = [...some(rooms), ...some(except).map((room) => `not ${room}`)];
  return entry as unknown as FeedEntry;
}

/**
 * What happens, for one page: a sample. Of each quarter of a second it gets the first events that match, and the number of the others,
 * so that an event costs a comparison when there are too many, and the page is not flooded.
 */
export class Feed implements Hearer {
  readonly #send: (batch: FeedBatch) => void;
  readonly #kinds: ReadonlySet<Kind> | undefined;
  readonly #name: string | undefined;
  readonly #namespace: string | undefined;
  readonly #socket: string | undefined;
  #entries: FeedEntry[] = [];
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor({ kinds, name, namespace, socket }: FeedFilter, send: (batch: FeedBatch) => void) {
    this.#send = send;
    this.#kinds = kinds === undefined ? undefined : new Set(kinds);
    this.#name = name?.toLowerCase() || undefined;
    this.#namespace = namespace || undefined;
    this.#socket = socket || undefined;
  }

  hear(occurrence: Occurrence): void {
    if (!this.#wants(occurrence)) return;
    if (this.#entries.length < MAX_ENTRIES) this.#entries.push(entryOf(occurrence));
    else this.#skipped++;
    this.#timer ??= setTimeout(() => this.#flush(), INTERVAL).unref();
  }

  #wants({ kind, name, namespace, socket, sid }: Occurrence): boolean {
    return (
      (this.#kinds === undefined || this.#kinds.has(kind)) &&
      (this.#namespace === undefined || this.#namespace === namespace) &&
      (this.#socket === undefined || this.#socket === socket || this.#socket === sid) &&
      (this.#name === undefined || name.toLowerCase().includes(this.#name))
    );
  }

  #flush(): void {
    const batch = { entries: this.#entries, skipped: this.#skipped };
    this.#entries = [];
    this.#skipped = 0;
    this.#timer = undefined;
    this.#send(batch);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
