import type { internals, Socket } from "@tidewire/server";
import type { ActionResult } from "../actions.ts";
import { createError } from "../errors.ts";
import { ClientWatch } from "./client-watch.ts";
import { ConnectionList } from "./connection-list.ts";
import type { ListQuery } from "./connection-list.ts";
import { Feed } from "./feed.ts";
import type { FeedFilter } from "./feed.ts";
import { readClient, readFilter, readListQuery, readRoomQuery } from "./requests.ts";
import { RoomList } from "./room-list.ts";
import type { RoomQuery } from "./room-list.ts";
import type { Tap } from "./tap.ts";

/** How much may wait for a page before it gets nothing new, in bytes. */
const MAX_WAITING = 1_000_000;

/** What a page is answered. */
type Answer = (answer: { error: { code: string; message: string } } | { result: ActionResult }) => void;

/** What a watcher shares with others. */
export interface WatcherOwner {
  readonly view: internals.ServerView;
  readonly tap: Tap;
  /** Does what the page asks for. */
  act(action: unknown, watcher: Watcher): Promise<ActionResult>;
}

/** A page that is open, and what it shows now. */
export class Watcher {
  readonly #socket: Socket;
  readonly #owner: WatcherOwner;
  #connections: ConnectionList | undefined = undefined;
  #rooms: RoomList | undefined = undefined;
  #feed: Feed | undefined = undefined;
  #client: ClientWatch | undefined = undefined;

  constructor(socket: Socket, owner: WatcherOwner) {
    this.#socket = socket;
    this.#owner = owner;
    // Whoever asks for something new no longer wants the old; nothing at all ends it.
    this.#on("connections", (given) => this.#showConnections(readListQuery(given)));
    this.#on("rooms", (given) => this.#showRooms(readRoomQuery(given)));
    this.#on("feed", (given) => this.#showFeed(readFilter(given)));
    this.#on("client", (given) => this.#showClient(readClient(given)));
    this.#on("act", (given) => owner.act(given, this));
  }

  get address(): string {
    return this.#socket.handshake.address;
  }

  send(event: string, message: object): void {
    this.#socket.emit(event, message);
  }

  /**
   * Sends what has changed, unless the page does not read.
   *
   * @param overview - undefined if it is not due
   */
  update(overview?: object): void {
    if (this.#socket.bufferedAmount > MAX_WAITING) return;
    if (overview !== undefined) this.send("overview", overview);
    const connections = this.#connections?.update();
    if (connections !== undefined) this.send("connections", connections);
    const rooms = this.#rooms?.update();
    if (rooms !== undefined) this.send("rooms", rooms);
    this.#client?.update();
  }

  stop(): void {
    this.#connections?.stop();
    this.#showFeed(undefined);
    this.#showClient(undefined);
  }

  #on(event: string, handle: (given: unknown) => unknown): void {
    this.#socket.on(event, async (given: unknown, answer: unknown) => {
      const reply = (typeof answer === "function" ? answer : () => {}) as Answer;
      try {
        const result = (await handle(given)) as ActionResult | undefined;
        reply({ result: result ?? {} });
      } catch (error) {
        const { code = "FAILED", message } = error as { code?: string; message: string };
        reply({ error: { code, message } });
      }
    });
  }

  #showConnections(query: ListQuery | undefined): void {
    this.#connections?.stop();
    this.#connections = query && new ConnectionList(this.#owner.view, query);
    const first = this.#connections?.update();
    if (first !== undefined) this.send("connections", first);
  }

  #showRooms(query: RoomQuery | undefined): void {
    this.#rooms = query && new RoomList(this.#owner.view, query);
    const first = this.#rooms?.update();
    if (first !== undefined) this.send("rooms", first);
  }

  #showFeed(filter: FeedFilter | undefined): void {
    const { tap } = this.#owner;
    if (this.#feed !== undefined) {
      tap.remove(this.#feed);
      this.#feed.stop();
    }
    this.#feed =
      filter &&
      new Feed(filter, (batch) => {
        if (this.#socket.bufferedAmount <= MAX_WAITING) this.send("feed", batch);
      });
    if (this.#feed !== undefined) tap.add(this.#feed);
  }

  #showClient(sid: string | undefined): void {
    const { tap, view } = this.#owner;
    if (this.#client !== undefined) {
      tap.remove(this.#client);
      this.#client.stop();
      this.#client = undefined;
    }
    if (sid === undefined) return;
    const session = view
      .engines()
      .map((engine) => engine.find(sid))
      .find((found) => found !== undefined);
    if (session === undefined) throw createError("NOT_FOUND");
    this.#client = new ClientWatch(view, session, (update) => {
      if (this.#socket.bufferedAmount <= MAX_WAITING) this.send("client", update);
    });
    tap.add(this.#client);
    this.#client.update();
  }
}
