import { internals } from "@tidewire/engine";
import type { Server, Socket } from "@tidewire/server";
import type { internals as serverInternals } from "@tidewire/server";
import { Actions } from "../actions.ts";
import type { ActionResult } from "../actions.ts";
import { createError } from "../errors.ts";
import { OverviewReader } from "./overview.ts";
import type { Greeting } from "./overview.ts";
import { short } from "./preview.ts";
import { Tap } from "./tap.ts";
import { Watcher } from "./watcher.ts";
import type { WatcherOwner } from "./watcher.ts";

const { setTimeout, clearTimeout } = internals.timers;

/** How often pages are brought up to date, in ms. */
const INTERVAL = 1000;
/** How much of its time a server spends on that at most: one part of so many. */
const SHARE = 20;

/** What is watched. */
export interface Watched {
  readonly io: Pick<Server, "on" | "off">;
  readonly view: serverInternals.ServerView;
  readonly readonly: boolean;
  greeting(): Greeting;
}

/** Everybody who watches. While nobody does, nothing is counted, no timer runs, and nobody listens. */
export class Watch implements WatcherOwner {
  readonly view: serverInternals.ServerView;
  readonly tap: Tap;
  readonly #watched: Watched;
  readonly #overview: OverviewReader;
  readonly #actions: Actions;
  readonly #watchers: Set<Watcher> = new Set();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(watched: Watched) {
    this.#watched = watched;
    this.view = watched.view;
    this.tap = new Tap({ io: watched.io, engines: () => this.view.engines() });
    this.#overview = new OverviewReader(this.view);
    this.#actions = new Actions(this.view);
  }

  get size(): number {
    return this.#watchers.size;
  }

  add(socket: Socket): void {
    const watcher = new Watcher(socket, this);
    this.#watchers.add(watcher);
    socket.once("disconnect", () => this.#remove(watcher));
    watcher.send("hello", this.#watched.greeting());
    if (this.#watchers.size === 1) this.#start();
    watcher.send("overview", this.#overview.read(this.tap.counts));
  }

  #start(): void {
    this.tap.open();
    this.#overview.start();
    this.#timer = setTimeout(() => this.#tick(), INTERVAL).unref();
  }

  #remove(watcher: Watcher): void {
    watcher.stop();
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.tap.close();
    this.#overview.stop();
    clearTimeout(this.#timer);
  }

  #tick(): void {
    const startedAt = performance.now();
    const overview = this.#overview.read(this.tap.counts);
    for (const watcher of this.#watchers) watcher.update(overview);
    // A page that does not read may have been given up just now.
    if (this.#watchers.size === 0) return;
    const took = performance.now() - startedAt;
    this.#timer = setTimeout(() => this.#tick(), Math.max(INTERVAL, took * SHARE)).unref();
  }

  async act(action: unknown, watcher: Watcher): Promise<ActionResult> {
    if (this.#watched.readonly) throw createError("READ_ONLY");
    const result = await this.#actions.run(action);
    // Whoever watches sees who did what.
    const text = (name: string): string | undefined => {
      const value = (action as Record<string, unknown>)[name];
      return typeof value === "string" ? short(value) : undefined;
    };
    const words = [text("type"), text("event"), text("room")];
    this.tap.publish({
      kind: "action",
      namespace: text("namespace") ?? "",
      socket: text("socket"),
      sid: text("sid"),
      name: words.filter((word) => word !== undefined).join(" "),
      detail: `by ${watcher.address}`,
    });
    watcher.update();
    return result;
  }
}
