import { Kind } from "../link/kinds.ts";
import type { Part } from "../link/link.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import type { Bus, BusHandlers } from "./bus.ts";

/** The bus of nodes that are linked to each other: a copy of each publication for each of them. */
export class LinkBus implements Bus {
  readonly #members: Members;

  constructor(members: Members) {
    this.#members = members;
  }

  get self(): NodeId {
    return this.#members.self;
  }

  members(): Iterable<NodeId> {
    return this.#members.peers.keys();
  }

  publish(parts: readonly Part[]): void {
    for (const link of this.#members.peers.values()) link.send(Kind.CAST, parts);
  }

  send(to: NodeId, parts: readonly Part[]): void {
    this.#members.link(to)?.send(Kind.CAST, parts);
  }

  listen(handlers: BusHandlers): void {
    this.#members.handle(Kind.CAST, {
      onMessage: (link, payload) => handlers.onMessage(link.peer, payload),
    });
    this.#members.on("leave", (node) => handlers.onLeave(node));
  }
}
