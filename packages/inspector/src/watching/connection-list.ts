import { internals } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import type { internals as serverInternals } from "@tidewire/server";
import { roomsNamed } from "../rooms-named.ts";
import { rowOf } from "./connection-row.ts";
import type { ConnectionRow } from "./connection-row.ts";
import { RttProbe } from "./rtt-probe.ts";

/** How many rows the page gets at once. */
export const PAGE_SIZE = 50;
/** How often a client whose row is shown is pinged, in ms. */
const PROBE_INTERVAL = 5000;

/** Which connections are listed, and in which order. */
export interface ListQuery {
  /** A part of an id, of the address, or of the name of a namespace. */
  readonly text?: string;
  readonly transport?: string;
  readonly namespace?: string;
  readonly room?: string;
  readonly sort?: "newest" | "oldest" | "waiting";
  readonly offset?: number;
}

/** What has changed in the list since the page got it last. */
export interface ListUpdate {
  /** Of connections that match. */
  readonly matching: number;
  readonly total: number;
  readonly offset: number;
  /** The ids of the rows, in order. */
  readonly order: readonly string[];
  /** Those that have changed. */
  readonly rows: readonly ConnectionRow[];
}

type View = serverInternals.ServerView;

/** One page of the connections, for one watcher. */
export class ConnectionList {
  readonly #view: View;
  readonly #query: ListQuery;
  readonly #text: string;
  readonly #rooms: readonly serverInternals.InspectedRoom[] | undefined;
  /** The rows as they were sent, by id. */
  #sent: Map<string, string> = new Map();
  #probes: Map<string, RttProbe> = new Map();
  #probedAt = -Infinity;
  #last = "";

  constructor(view: View, query: ListQuery) {
    this.#view = view;
    this.#query = query;
    this.#text = (query.text ?? "").toLowerCase();
    this.#rooms = query.room ? roomsNamed(query.room) : undefined;
  }

  /** Returns what has changed; undefined if nothing has. */
  update(): ListUpdate | undefined {
    const { matching, total } = this.#matching();
    const offset = Math.min(this.#query.offset ?? 0, Math.max(0, matching.length - 1));
    const shown = matching.slice(offset, offset + PAGE_SIZE);
    this.#probe(shown);
    const sent = new Map<string, string>();
    const rows: ConnectionRow[] = [];
    for (const session of shown) {
      const row = rowOf(session, this.#view, this.#probes.get(session.id)?.rtt);
      const text = JSON.stringify(row);
      sent.set(row.sid, text);
      if (this.#sent.get(row.sid) !== text) rows.push(row);
    }
    this.#sent = sent;
    const order = [...sent.keys()];
    const summary = `${matching.length} ${total} ${offset} ${order.join()}`;
    if (rows.length === 0 && summary === this.#last) return undefined;
    this.#last = summary;
    return { matching: matching.length, total, offset, order, rows };
  }

  stop(): void {
    for (const probe of this.#probes.values()) probe.stop();
    this.#probes.clear();
  }

  #matching(): { matching: Session[]; total: number } {
    const matching: Session[] = [];
    let total = 0;
    for (const engine of this.#view.engines()) {
      const sessions = internals.sessionsOf(engine);
      total += sessions.size;
      for (const session of sessions.values()) if (this.#wants(session)) matching.push(session);
    }
    const { sort = "newest" } = this.#query;
    if (sort === "newest") matching.reverse();
    if (sort === "waiting") return { matching: byWaiting(matching), total };
    return { matching, total };
  }

  #wants(session: Session): boolean {
    const { transport, namespace } = this.#query;
    if (transport && session.transport.name !== transport) return false;
    const rooms = this.#rooms;
    if (this.#text === "" && !namespace && rooms === undefined) return true;
    const sockets = this.#view.socketsOf(session);
    if (namespace || rooms !== undefined) {
      const isThere = sockets.some(
        (socket) =>
          (!namespace || socket.nsp.name === namespace) &&
          (rooms === undefined || rooms.some((room) => this.#view.isIn(socket, room))),
      );
      if (!isThere) return false;
    }
    return (
      this.#text === "" ||
      has(session.id, this.#text) ||
      has(session.remoteAddress, this.#text) ||
      sockets.some(({ id, nsp }) => has(id, this.#text) || has(nsp.name, this.#text))
    );
  }

  /** Measures those that are shown, and nobody else. */
  #probe(shown: readonly Session[]): void {
    const probes = new Map<string, RttProbe>();
    for (const session of shown) {
      const { id } = session;
      probes.set(id, this.#probes.get(id) ?? new RttProbe(session, (each) => this.#view.ping(each)));
    }
    for (const [id, probe] of this.#probes) if (!probes.has(id)) probe.stop();
    const isDue = performance.now() - this.#probedAt >= PROBE_INTERVAL;
    for (const [id, probe] of probes) if (isDue || !this.#probes.has(id)) probe.probe();
    if (isDue) this.#probedAt = performance.now();
    this.#probes = probes;
  }
}

function has(text: string, part: string): boolean {
  return text.toLowerCase().includes(part);
}

function byWaiting(sessions: readonly Session[]): Session[] {
  const waiting = sessions.map((session) => ({ session, bytes: session.bufferedAmount }));
  return waiting.toSorted((a, b) => b.bytes - a.bytes).map(({ session }) => session);
}
