import type { internals } from "@tidewire/server";
import { short } from "./preview.ts";

/** How many rooms the page gets: the largest that match. */
const MAX_ROOMS = 100;

/** Which rooms are listed. */
export interface RoomQuery {
  readonly namespace?: string;
  /** A part of the name. */
  readonly text?: string;
}

export interface RoomRow {
  readonly nsp: string;
  readonly room: string;
  readonly size: number;
}

export interface RoomUpdate {
  readonly total: number;
  readonly matching: number;
  readonly rows: readonly RoomRow[];
}

/** The largest rooms, for one watcher. */
export class RoomList {
  readonly #view: internals.ServerView;
  readonly #namespace: string | undefined;
  readonly #text: string;
  #last = "";

  constructor(view: internals.ServerView, { namespace, text = "" }: RoomQuery) {
    this.#view = view;
    this.#namespace = namespace || undefined;
    this.#text = text.toLowerCase();
  }

  /** Returns the list; undefined if it is as before. */
  update(): RoomUpdate | undefined {
    let [total, matching] = [0, 0];
    /** Up to twice as many as are sent: cut when it is full, so that a million rooms are not sorted. */
    let rows: RoomRow[] = [];
    for (const nsp of this.#view.namespaces.values()) {
      if (this.#namespace !== undefined && nsp.name !== this.#namespace) continue;
      this.#view.forEachRoom(nsp, (room, size) => {
        total++;
        if (this.#text !== "" && !room.toLowerCase().includes(this.#text)) return;
        matching++;
        rows.push({ nsp: nsp.name, room, size });
        if (rows.length === MAX_ROOMS * 2) rows = largest(rows);
      });
    }
    const shown = largest(rows).map(({ nsp, room, size }) => ({
      nsp: short(nsp),
      room: short(room),
      size,
    }));
    const update = { total, matching, rows: shown };
    const text = JSON.stringify(update);
    if (text === this.#last) return undefined;
    this.#last = text;
    return update;
  }
}

function largest(rows: readonly RoomRow[]): RoomRow[] {
  return rows.toSorted((a, b) => b.size - a.size || (a.room < b.room ? -1 : 1)).slice(0, MAX_ROOMS);
}
