import { randomBytes } from "node:crypto";
import type { Room } from "socket.io-adapter";
import { Arrivals } from "../channels/arrivals.ts";
import { readCopy } from "../channels/link-copy.ts";
import { Kind } from "../link/kinds.ts";
import type { Part } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import type { Bus, BusHandlers } from "./bus.ts";
import { Sequences } from "./sequences.ts";
import { MOST_BYTES } from "./size.ts";

/** The bytes in front of a publication: the epoch of its publisher, an u32, and its number, a f64. */
const HEAD = 12;

/** The bus of nodes that are linked to each other: a copy of each publication for each of them. */
export class LinkBus implements Bus {
  readonly interest: undefined = undefined;
  readonly maxBytes: number = MOST_BYTES;
  readonly #members: Members;
  readonly #head: Buffer = Buffer.alloc(HEAD);
  #seq = 0;
  readonly #sequences: Sequences = new Sequences();

  constructor(members: Members) {
    this.#members = members;
    randomBytes(4).copy(this.#head);
  }

  get self(): NodeId {
    return this.#members.self;
  }

  members(): Iterable<NodeId> {
    return this.#members.peers.keys();
  }

  publish(_namespace: string, _rooms: ReadonlySet<Room>, parts: readonly Part[]): void {
    this.#head.writeDoubleBE(++this.#seq, 4);
    const numbered = [this.#head, ...parts];
    for (const link of this.#members.peers.values()) link.send(Kind.CAST, numbered);
  }

  /** Links wait for nothing. */
  hurry(): void {}

  /** Every node gets everything. */
  widen(): void {}

  reply(to: NodeId, parts: readonly Part[]): void {
    this.#members.link(to)?.send(Kind.REPLY, parts);
  }

  /** @param arrivals - of nodes that publish on channels: what they send to those that do not */
  listen(handlers: BusHandlers, arrivals: Arrivals = new Arrivals(this.#members.loop, handlers)): void {
    const members = this.#members;
    members.handle(Kind.CAST, {
      onMessage: (link, payload) => this.#onCast(handlers, link.peer, payload),
    });
    members.handle(Kind.REPLY, {
      onMessage: (link, payload) => handlers.onReply(link.peer, payload),
    });
    members.handle(Kind.PUBLICATION, {
      onMessage: (_link, payload) => {
        const { channel, publication, isRepeated } = readCopy(payload);
        arrivals.accept(channel, publication, isRepeated);
      },
    });
    members.on("leave", (node) => handlers.onLeave(node));
  }

  #onCast(handlers: BusHandlers, from: NodeId, payload: Buffer): void {
    const reader = new PayloadReader(payload);
    const missed = this.#sequences.accept(from, { epoch: reader.u32(), seq: reader.f64() });
    if (missed === undefined) return;
    if (missed > 0) handlers.onGap(from, missed);
    handlers.onMessage(from, reader.rest());
  }
}
