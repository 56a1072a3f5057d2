import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { ConnectionError, Engine } from "@tidewire/engine";
import type { LimitReport, Server } from "@tidewire/server";
import type { internals } from "@tidewire/server";
import type { Hearer, Kind, Occurrence } from "./occurrence.ts";

type InspectedSocket = internals.InspectedSocket;
type Listener = (message: unknown) => void;

/** The members of what the channels publish. */
interface Published {
  readonly server?: object;
  readonly socket: InspectedSocket & { readonly client: { readonly id: string } };
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly unknown[];
  readonly rooms: ReadonlySet<string>;
  readonly except: ReadonlySet<string>;
  readonly reason: string;
  readonly description: unknown;
  readonly error?: unknown;
}

/** What a tap listens to. */
export interface TapSource {
  readonly io: Pick<Server, "on" | "off">;
  engines(): readonly Engine[];
}

/** How many events there were, since the tap was opened. */
export interface EventCounts {
  in: number;
  out: number;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, parseCode, message } = error as { code?: unknown; parseCode?: unknown; message?: unknown };
  const best = parseCode ?? code ?? message;
  return typeof best === "string" || typeof best === "number" ? String(best) : undefined;
}

/**
 * Listens to one server while somebody watches it: to the channels of `node:diagnostics_channel`, which cost nothing without
 * subscribers, and to the refusals of its engines.
 */
export class Tap {
  readonly counts: EventCounts = { in: 0, out: 0 };
  readonly #source: TapSource;
  readonly #hearers: Set<Hearer> = new Set();
  readonly #channels: readonly (readonly [string, Listener])[];
  #engines: Engine[] = [];
  #isOpen = false;

  constructor(source: TapSource) {
    this.#source = source;
    const heard = (read: (published: Published) => void): Listener => {
      return (message) => read(message as Published);
    };
    this.#channels = [
      ["tracing:tidewire:event:start", heard((it) => this.#onEvent("in", it))],
      ["tidewire:emit", heard((it) => this.#onEvent("out", it))],
      ["tracing:tidewire:broadcast:start", heard((it) => this.#onBroadcast(it))],
      ["tracing:tidewire:connect:asyncEnd", heard((it) => this.#onConnect(it))],
      ["tidewire:disconnect", heard((it) => this.#onDisconnect(it))],
    ];
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const [name, listener] of this.#channels) subscribe(name, listener);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const [name, listener] of this.#channels) unsubscribe(name, listener);
    this.counts.in = this.counts.out = 0;
  }

  add(hearer: Hearer): void {
    this.#hearers.add(hearer);
    if (this.#hearers.size > 1) return;
    this.#source.io.on("limit_exceeded", this.#onLimit);
    // Those that the server gets later are heard once somebody listens anew.
    this.#engines = [...this.#source.engines()];
    for (const engine of this.#engines) engine.on("connection_error", this.#onRefusal);
  }

  remove(hearer: Hearer): void {
    if (!this.#hearers.delete(hearer) || this.#hearers.size > 0) return;
    this.#source.io.off("limit_exceeded", this.#onLimit);
    for (const engine of this.#engines) engine.off("connection_error", this.#onRefusal);
    this.#engines = [];
  }

  /** Passes something on that the inspector itself has done. */
  publish(occurrence: Occurrence): void {
    for (const hearer of this.#hearers) hearer.hear(occurrence);
  }

  /** Whether it is about the server, and not about another one of the process. */
  #isOurs({ socket }: Published): boolean {
    return socket.nsp.server === this.#source.io;
  }

  #onEvent(kind: Kind & keyof EventCounts, { namespace, socket, event: name, args }: Published): void {
    if (socket.nsp.server !== this.#source.io) return;
    this.counts[kind]++;
    if (this.#hearers.size === 0) return;
    this.publish({ kind, namespace, socket: socket.id, sid: socket.client.id, name, args });
  }

  #onBroadcast({ server, namespace, event: name, args, rooms, except }: Published): void {
    if (server !== this.#source.io || this.#hearers.size === 0) return;
    this.publish({ kind: "broadcast", namespace, name, args, rooms, except });
  }

  #onConnect(published: Published): void {
    if (!this.#isOurs(published) || this.#hearers.size === 0) return;
    const { namespace, socket, error } = published;
    const about = { namespace, socket: socket.id, sid: socket.client.id };
    if (error === undefined) this.publish({ kind: "connect", name: "connected", ...about });
    else this.publish({ kind: "refused", name: "connect_error", detail: codeOf(error), ...about });
  }

  #onDisconnect(published: Published): void {
    if (!this.#isOurs(published) || this.#hearers.size === 0) return;
    const { namespace, socket, reason: name, description } = published;
    const detail = codeOf(description);
    this.publish({ kind: "disconnect", namespace, socket: socket.id, sid: socket.client.id, name, detail });
  }

  readonly #onRefusal = ({ req, message, context }: ConnectionError): void => {
    const name = context?.["name"];
    // Undefined for WebTransport.
    const request = req as IncomingMessage | undefined;
    const detail = `${request?.socket.remoteAddress ?? ""} ${request?.url?.split("?")[0] ?? ""}`;
    this.publish({
      kind: "refused",
      namespace: "",
      name: typeof name === "string" ? name : message,
      detail,
    });
  };

  readonly #onLimit = ({ code, address, times }: LimitReport): void => {
    this.publish({ kind: "limit", namespace: "", name: code, detail: `${times} × ${address ?? ""}` });
  };
}
