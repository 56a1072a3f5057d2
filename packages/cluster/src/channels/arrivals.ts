import type { EventLoop } from "@tidewire/engine";
import { afterReading } from "../deadline.ts";
import { PayloadReader } from "../link/reader.ts";
import type { NodeId } from "../node-id.ts";
import { Copies } from "./copies.ts";
import { decodePublication } from "./publication.ts";
import type { Publication } from "./publication.ts";
import { Publishers } from "./publishers.ts";

/** How long missing publications are waited for, in ms: they may take another way, over a link or over the broker. */
const PATIENCE = 500;

/** How many publications of one channel and publisher are kept until those before them arrive. */
const MOST_WAITING = 1000;

/** Callbacks of arrivals. */
export interface ArrivalsHandlers {
  onMessage(from: NodeId, payload: Buffer): void;
  /** Messages of a publisher are missing. */
  onGap(from: NodeId, missed: number): void;
}

/** The node at which publications arrive. */
export interface ArrivalsNode {
  /** That of its own publications, which are ignored. */
  readonly epoch?: number;
  /** Whether it has receivers on a channel. Default: on all. */
  isWanted?(channel: number): boolean;
}

/** What a publisher publishes to one channel. */
interface Stream {
  /** The number of the message that is expected. */
  next: number;
  /** Publications that have overtaken it, in their order. */
  readonly waiting: Publication[];
}

interface Publisher {
  readonly epoch: number;
  readonly copies: Copies;
  /** By channel. */
  readonly streams: Map<number, Stream>;
}

/**
 * The publications of other nodes, which arrive on channels and over links, perhaps twice, or not at all: passes each message on once,
 * in the order of its publisher and channel, and tells how many are missing.
 */
export class Arrivals {
  readonly #loop: EventLoop;
  readonly #handlers: ArrivalsHandlers;
  readonly #node: ArrivalsNode;
  readonly #publishers: Publishers<Publisher> = new Publishers();

  constructor(loop: EventLoop, handlers: ArrivalsHandlers, node: ArrivalsNode = {}) {
    this.#loop = loop;
    this.#handlers = handlers;
    this.#node = node;
  }

  /**
   * Takes a publication. Its bytes must stay valid.
   *
   * @param isRepeated - it may be older than this node's interest in the channel
   * @throws LinkError if it is malformed
   */
  accept(channel: number, payload: Buffer, isRepeated: boolean): void {
    if (this.#node.isWanted?.(channel) === false) return;
    const publication = decodePublication(payload);
    if (publication === undefined || publication.epoch === this.#node.epoch) return;
    const publisher = this.#publisherOf(publication);
    const stream = publisher.streams.get(channel);
    if (stream === undefined) {
      // Earlier ones may not have been for this node.
      if (isRepeated) return;
      const begun = { next: publication.first, waiting: [] };
      publisher.streams.set(channel, begun);
      this.#pass(publisher, begun, publication);
    } else if (publication.first > stream.next) {
      this.#wait(publisher, stream, publication);
    } else {
      this.#pass(publisher, stream, publication);
      if (stream.waiting.length > 0) this.#passWaiting(publisher, stream);
    }
  }

  /** This node has no receivers on the channel any more. */
  forget(channel: number): void {
    for (const { streams } of this.#publishers.values()) {
      const stream = streams.get(channel);
      if (stream === undefined) continue;
      stream.waiting.length = 0;
      streams.delete(channel);
    }
  }

  #publisherOf({ from, epoch }: Publication): Publisher {
    const known = this.#publishers.get(from);
    const publisher =
      known?.epoch === epoch ? known : { epoch, copies: new Copies(), streams: new Map<number, Stream>() };
    this.#publishers.heard(from, publisher);
    return publisher;
  }

  /** Passes on the messages of a publication which have not arrived before. */
  #pass({ copies }: Publisher, stream: Stream, publication: Publication): void {
    const { from, first, count, firstCopy } = publication;
    const known = stream.next - first;
    if (known >= count) return;
    stream.next = first + count;
    const reader = new PayloadReader(publication.messages);
    for (let index = 0; index < count; index++) {
      const message = reader.bytes();
      if (index < known || (firstCopy > 0 && !copies.add(firstCopy + index))) continue;
      this.#handlers.onMessage(from, message);
    }
  }

  #wait(publisher: Publisher, stream: Stream, publication: Publication): void {
    const { waiting } = stream;
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.first >= publication.first) at--;
    if (waiting[at]?.first === publication.first) return;
    waiting.splice(at, 0, publication);
    if (waiting.length > MOST_WAITING) this.#skip(publisher, stream);
    else if (waiting.length === 1) this.#skipLater(publisher, stream);
  }

  #skipLater(publisher: Publisher, stream: Stream): void {
    const { next } = stream;
    const look = (): void => {
      if (stream.waiting.length === 0) return;
      if (stream.next === next) this.#skip(publisher, stream);
      // Others are missing since then.
      if (stream.waiting.length > 0) this.#skipLater(publisher, stream);
    };
    this.#loop.setTimeout(() => afterReading(look, this.#loop), PATIENCE);
  }

  /** What is missing before the first one that waits has been lost. */
  #skip(publisher: Publisher, stream: Stream): void {
    const [publication] = stream.waiting;
    if (publication === undefined) return;
    const missed = publication.first - stream.next;
    stream.next = publication.first;
    this.#handlers.onGap(publication.from, missed);
    this.#passWaiting(publisher, stream);
  }

  #passWaiting(publisher: Publisher, stream: Stream): void {
    const { waiting } = stream;
    while (waiting.length > 0 && waiting[0]!.first <= stream.next) {
      this.#pass(publisher, stream, waiting.shift()!);
    }
  }
}
