import { internals } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import type { internals as serverInternals } from "@tidewire/server";
import { rowOf } from "./connection-row.ts";
import type { ConnectionRow } from "./connection-row.ts";
import type { Hearer, Occurrence } from "./occurrence.ts";
import { preview, short } from "./preview.ts";
import { RttProbe } from "./rtt-probe.ts";

const { setTimeout, clearTimeout } = internals.timers;

/** How often the page gets what has happened, in ms. */
const INTERVAL = 250;
/** How many entries it gets each time; the others are counted. */
const MAX_ENTRIES = 40;
/** How many sockets and rooms are shown. */
const MAX_SOCKETS = 20;
const MAX_ROOMS = 50;
/** How often the client is pinged, in ticks. */
const PROBE_TICKS = 3;

/** An entry of the timeline of one client. */
export interface TimelineEntry {
  readonly at: number;
  readonly kind: "in" | "out" | "state" | "rtt" | "end";
  /** The type of a packet of Engine.IO, or what has happened. */
  readonly name: string;
  readonly text?: string;
  /** Size of a message: characters of text, bytes of binary. */
  readonly size?: number;
  /** In ms. */
  readonly rtt?: number;
}

/** A socket of the client. */
export interface SocketDetails {
  readonly id: string;
  readonly nsp: string;
  readonly since: number;
  readonly recovered: boolean;
  readonly pendingAcks: number;
  readonly data: string;
  readonly rooms: readonly string[];
  readonly roomCount: number;
}

/** A client, as the page shows it. */
export interface ClientDetails extends ConnectionRow {
  readonly open: boolean;
  readonly upgraded: boolean;
  readonly upgrading: boolean;
  /** Some headers of its handshake. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sockets: readonly SocketDetails[];
}

export interface ClientUpdate {
  readonly sid: string;
  /** Undefined if nothing has changed. */
  readonly details?: ClientDetails;
  readonly entries: readonly TimelineEntry[];
  readonly skipped: number;
}

/** Not those that may hold secrets. */
const HEADERS = ["user-agent", "origin", "accept-language", "x-forwarded-for", "host"] as const;

/** Each event of a session has parameters of its own. */
type Listener = Parameters<Session["on"]>[1];

interface EnginePacket {
  readonly type: string;
  readonly data?: unknown;
}

function errorText(error: unknown): string {
  if (error === undefined || error === null) return "";
  if (typeof error !== "object") return preview([error])[0] ?? "";
  const { parseCode, code, message } = error as { parseCode?: unknown; code?: unknown; message?: unknown };
  return short([parseCode ?? code, message].filter((part) => typeof part === "string").join(": "));
}

/** One client, for one watcher: what it is, and what happens on its connection. It listens to this connection alone. */
export class ClientWatch implements Hearer {
  readonly #view: serverInternals.ServerView;
  readonly #session: Session;
  readonly #send: (update: ClientUpdate) => void;
  readonly #probe: RttProbe;
  readonly #listeners: readonly (readonly [string, Listener])[];
  #entries: TimelineEntry[] = [];
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #last = "";
  #ticks = 0;

  constructor(view: serverInternals.ServerView, session: Session, send: (update: ClientUpdate) => void) {
    this.#view = view;
    this.#session = session;
    this.#send = send;
    this.#probe = new RttProbe(
      session,
      (each) => view.ping(each),
      (rtt) => this.#add({ kind: "rtt", name: "pong", rtt }),
    );
    this.#listeners = [
      ["packet", (packet: EnginePacket) => this.#addPacket("in", packet)],
      ["packetCreate", (packet: EnginePacket) => this.#addPacket("out", packet)],
      ["upgrading", () => this.#add({ kind: "state", name: "upgrading" })],
      ["upgrade", ({ name }: { name: string }) => this.#add({ kind: "state", name: "upgraded", text: name })],
      [
        "close",
        (reason: string, error: unknown) => this.#add({ kind: "end", name: reason, text: errorText(error) }),
      ],
    ];
    for (const [event, listener] of this.#listeners) session.on(event, listener);
  }

  /** Hears of sockets that leave, with their reason. */
  hear({ kind, sid, namespace, name, detail }: Occurrence): void {
    if (sid !== this.#session.id || (kind !== "disconnect" && kind !== "connect")) return;
    const what = kind === "connect" ? "joins" : "left";
    const why = kind === "connect" ? "" : `: ${name}${detail === undefined ? "" : ` (${short(detail)})`}`;
    this.#add({ kind: "state", name: `${what} ${short(namespace, 60)}${why}` });
  }

  #addPacket(kind: "in" | "out", { type, data }: EnginePacket): void {
    if (this.#entries.length >= MAX_ENTRIES) {
      this.#skipped++;
    } else if (typeof data === "string") {
      this.#add({ kind, name: type, text: short(data), size: data.length });
    } else if (data === undefined || data === null) {
      this.#add({ kind, name: type });
    } else {
      const [text = ""] = preview([data]);
      this.#add({ kind, name: type, text, size: (data as { byteLength?: number }).byteLength ?? 0 });
    }
  }

  #add(entry: Omit<TimelineEntry, "at">): void {
    // What happens once is never left out.
    const isRare = entry.kind === "state" || entry.kind === "end";
    if (this.#entries.length < MAX_ENTRIES || isRare) this.#entries.push({ at: Date.now(), ...entry });
    else this.#skipped++;
    this.#timer ??= setTimeout(() => this.#flush(false), INTERVAL).unref();
  }

  /** Called once per tick. */
  update(): void {
    if (this.#ticks++ % PROBE_TICKS === 0) this.#probe.probe();
    this.#flush(true);
  }

  #flush(withDetails: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const details = withDetails ? this.#changedDetails() : undefined;
    if (details === undefined && this.#entries.length === 0 && this.#skipped === 0) return;
    const about = { sid: this.#session.id, entries: this.#entries, skipped: this.#skipped };
    this.#entries = [];
    this.#skipped = 0;
    this.#send(details === undefined ? about : { ...about, details });
  }

  #changedDetails(): ClientDetails | undefined {
    const details = this.#details();
    const text = JSON.stringify(details);
    if (text === this.#last) return undefined;
    this.#last = text;
    return details;
  }

  #details(): ClientDetails {
    const session = this.#session;
    const given = internals.headersOf(session);
    const headers: Record<string, string> = {};
    for (const name of HEADERS)
      if (given[name] !== undefined) headers[name] = short(String(given[name]), 300);
    const sockets = this.#view.socketsOf(session);
    return {
      ...rowOf(session, this.#view, this.#probe.rtt),
      open: session.readyState === "open",
      upgraded: session.upgraded,
      upgrading: session.upgrading,
      headers,
      sockets: sockets.slice(0, MAX_SOCKETS).map((socket) => this.#socket(socket)),
    };
  }

  #socket(socket: serverInternals.InspectedSocket): SocketDetails {
    const rooms: string[] = [];
    let roomCount = 0;
    this.#view.forEachRoomOf(socket, (room) => {
      if (roomCount++ < MAX_ROOMS) rooms.push(short(room));
    });
    const { id, nsp, _issued: since, recovered, _pendingAcks: pendingAcks } = socket;
    const [data = ""] = preview([socket.data]);
    return { id, nsp: nsp.name, since, recovered, pendingAcks, data, rooms, roomCount };
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#probe.stop();
    for (const [event, listener] of this.#listeners) this.#session.off(event, listener);
  }
}
