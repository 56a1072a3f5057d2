import type { Room } from "socket.io-adapter";
import type { Bus, BusHandlers } from "../broadcasting/bus.ts";
import { LinkBus } from "../broadcasting/link-bus.ts";
import type { Part } from "../link/link.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import { MOST_CAST_BYTES, writeCast } from "./items.ts";
import type { Journaling } from "./journaling.ts";

/**
 * The bus of a server with a journal: what a node publishes arrives in its order, events that are kept and everything else. Replies
 * travel over the links.
 */
export class JournalBus implements Bus {
  /** Every node gets everything. */
  readonly interest: undefined = undefined;
  readonly maxBytes: number = MOST_CAST_BYTES;
  readonly #members: Members;
  readonly #journaling: Journaling;
  readonly #links: LinkBus;
  #handlers: BusHandlers | undefined = undefined;

  constructor(members: Members, journaling: Journaling) {
    this.#members = members;
    this.#journaling = journaling;
    this.#links = new LinkBus(members);
  }

  get self(): NodeId {
    return this.#members.self;
  }

  members(): Iterable<NodeId> {
    return this.#links.members();
  }

  publish(namespace: string, _rooms: ReadonlySet<Room>, parts: readonly Part[]): void {
    this.#journaling.add(namespace, writeCast(this.self, parts));
  }

  hurry(): void {}

  widen(): void {}

  reply(to: NodeId, parts: readonly Part[]): void {
    this.#links.reply(to, parts);
  }

  listen(handlers: BusHandlers): void {
    this.#handlers = handlers;
    // Nodes without a journal, such as those of an earlier version, publish on links.
    this.#links.listen(handlers);
  }

  /** A publication of another node has arrived. */
  receive(from: NodeId, payload: Buffer): void {
    this.#handlers?.onMessage(from, payload);
  }
}
