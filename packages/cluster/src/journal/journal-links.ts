import { Deadline } from "../deadline.ts";
import { Kind } from "../link/kinds.ts";
import type { Link } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import type { Members } from "../members.ts";
import type { NodeId } from "../node-id.ts";
import { inBatches } from "./items.ts";
import type { PublisherId } from "./journal.ts";

/** What nodes say to each other about their journal. A number is never used for anything else later. */
const Message = {
  /** Who publishes in the journal. */
  PUBLISHER: 1,
  /** Items that the journal does not take. */
  ITEMS: 2,
  /** The client of a state has come back. */
  LET_GO: 3,
  GONE: 4,
  /** Whether this node gets what others publish. */
  HEARING: 5,
  /** Items that the journal has, for a node that does not get them from there. */
  KEPT_ITEMS: 6,
  /** Asks for an answer: when it comes, what was sent before has arrived. */
  MARK: 7,
  MARK_REACHED: 8,
} as const;

/** How long a node may take to let go of a socket, in ms: longer than until it gives up to reach the journal. */
const PATIENCE = 2500;

/** How long what was sent may be on its way to other nodes, in ms. */
const MARK_PATIENCE = 1000;

/** What is known when a node has let go of a state. */
export interface Release {
  /** The id up to which the events of the node reach. */
  readonly upTo: number;
  /** The state as it was at the end, if its socket was there. */
  readonly state: string | undefined;
}

/** Items of another node that have come over its link. */
export interface RelayedItems {
  readonly publisher: PublisherId;
  readonly first: number;
  readonly items: readonly string[];
  /** Whether the journal has them, too. */
  readonly areKept: boolean;
}

export interface JournalLinksHandlers {
  onRelayed(namespace: string, items: RelayedItems): void;
  /** A node does not get any more what this one publishes. */
  onDeaf(node: NodeId): void;
  onLetGo(namespace: string, pid: string, takenAt: number): Promise<Release>;
}

/** What the nodes of a journal say to each other over their links. */
export class JournalLinks {
  readonly #members: Members;
  readonly #publisher: PublisherId;
  readonly #handlers: JournalLinksHandlers;
  readonly #writer: PayloadWriter = new PayloadWriter();
  readonly #nodes: Map<PublisherId, NodeId> = new Map();
  readonly #questions: Map<number, { readonly node: NodeId; resolve(release?: Release): void }> = new Map();
  readonly #marks: Map<number, { readonly nodes: Set<NodeId>; onReached(): void }> = new Map();
  #questionsAsked = 0;
  /** Those that do not get what this one publishes. */
  readonly #deaf: Set<NodeId> = new Set();
  #isDeaf = false;

  constructor(members: Members, publisher: PublisherId, handlers: JournalLinksHandlers) {
    this.#members = members;
    this.#publisher = publisher;
    this.#handlers = handlers;
    members.handle(Kind.JOURNAL, {
      onMessage: (link, payload) => this.#onMessage(link, new PayloadReader(payload)),
    });
    members.on("join", (_id, link) => this.#greet(link));
    members.on("leave", (id) => this.#onLeave(id));
    for (const link of members.peers.values()) this.#greet(link);
  }

  nodeOf(publisher: PublisherId): NodeId | undefined {
    return this.#nodes.get(publisher);
  }

  #greet(link: Link): void {
    link.send(Kind.JOURNAL, [this.#writer.begin().u8(Message.PUBLISHER).text(this.#publisher).end()]);
    if (this.#isDeaf) this.#sayHearing(link);
  }

  /** Tells the others whether this node gets what they publish. */
  set isDeaf(isDeaf: boolean) {
    if (isDeaf === this.#isDeaf) return;
    this.#isDeaf = isDeaf;
    for (const link of this.#members.peers.values()) this.#sayHearing(link);
  }

  #sayHearing(link: Link): void {
    link.send(Kind.JOURNAL, [
      this.#writer
        .begin()
        .u8(Message.HEARING)
        .u8(this.#isDeaf ? 0 : 1)
        .end(),
    ]);
  }

  #onLeave(node: NodeId): void {
    this.#deaf.delete(node);
    for (const [publisher, id] of this.#nodes) if (id === node) this.#nodes.delete(publisher);
    for (const question of this.#questions.values()) if (question.node === node) question.resolve();
    for (const id of this.#marks.keys()) this.#onMarkReached(id, node);
  }

  /** Resolves once what was sent over the links has arrived at all nodes, or cannot be waited for any longer. */
  arrived(): Promise<void> {
    const nodes = new Set(this.#members.peers.keys());
    if (nodes.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const id = ++this.#questionsAsked;
      const onReached = (): void => {
        deadline.end();
        this.#marks.delete(id);
        resolve();
      };
      const deadline = new Deadline(MARK_PATIENCE, onReached);
      this.#marks.set(id, { nodes, onReached });
      for (const link of this.#members.peers.values()) {
        link.send(Kind.JOURNAL, [this.#writer.begin().u8(Message.MARK).u32(id).end()]);
      }
    });
  }

  #onMarkReached(id: number, node: NodeId): void {
    const mark = this.#marks.get(id);
    if (mark?.nodes.delete(node) && mark.nodes.size === 0) mark.onReached();
  }

  /** Sends items to all nodes. */
  relay(namespace: string, first: number, items: readonly string[]): void {
    this.#send(Message.ITEMS, [...this.#members.peers.keys()], namespace, first, items);
  }

  /** Sends items, which the journal has, to the nodes that do not get them from there, or to one of them. */
  relayKept(namespace: string, first: number, items: readonly string[], to?: NodeId): void {
    if (this.#deaf.size > 0) {
      this.#send(Message.KEPT_ITEMS, to === undefined ? this.#deaf : [to], namespace, first, items);
    }
  }

  #send(
    message: number,
    nodes: Iterable<NodeId>,
    namespace: string,
    first: number,
    items: readonly string[],
  ): void {
    let from = 0;
    for (const batch of inBatches(items)) {
      this.#sendBatch(message, nodes, namespace, first + from, batch);
      from += batch.length;
    }
  }

  #sendBatch(
    message: number,
    nodes: Iterable<NodeId>,
    namespace: string,
    first: number,
    items: readonly string[],
  ): void {
    let payload: Buffer | undefined;
    for (const node of nodes) {
      const writer = this.#writer;
      payload ??= writer
        .begin()
        .u8(message)
        .text(namespace)
        .text(this.#publisher)
        .f64(first)
        .texts(items)
        .end();
      this.#members.link(node)?.send(Kind.JOURNAL, [payload]);
    }
  }

  /** Asks the node that had a state to let go of it. Resolves to undefined if it has died, or does not answer. */
  release(
    publisher: PublisherId,
    namespace: string,
    pid: string,
    takenAt: number,
  ): Promise<Release | undefined> {
    const node = this.#nodes.get(publisher);
    const link = node === undefined ? undefined : this.#members.link(node);
    if (node === undefined || link === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const id = ++this.#questionsAsked;
      const deadline = new Deadline(PATIENCE, () => done());
      const done = (release?: Release): void => {
        deadline.end();
        this.#questions.delete(id);
        resolve(release);
      };
      this.#questions.set(id, { node, resolve: done });
      const writer = this.#writer.begin().u8(Message.LET_GO);
      link.send(Kind.JOURNAL, [writer.u32(id).text(namespace).text(pid).f64(takenAt).end()]);
    });
  }

  #onMessage(link: Link, reader: PayloadReader): void {
    const message = reader.u8();
    switch (message) {
      case Message.PUBLISHER:
        this.#nodes.set(reader.text(), link.peer);
        break;
      case Message.ITEMS:
      case Message.KEPT_ITEMS: {
        const namespace = reader.text();
        const [publisher, first, items] = [reader.text(), reader.f64(), reader.texts()];
        const areKept = message === Message.KEPT_ITEMS;
        this.#handlers.onRelayed(namespace, { publisher, first, items, areKept });
        break;
      }
      case Message.HEARING:
        if (reader.u8() === 1) {
          this.#deaf.delete(link.peer);
        } else {
          this.#deaf.add(link.peer);
          this.#handlers.onDeaf(link.peer);
        }
        break;
      case Message.MARK:
        link.send(Kind.JOURNAL, [this.#writer.begin().u8(Message.MARK_REACHED).u32(reader.u32()).end()]);
        break;
      case Message.MARK_REACHED:
        this.#onMarkReached(reader.u32(), link.peer);
        break;
      case Message.LET_GO:
        void this.#letGo(link, reader);
        break;
      case Message.GONE: {
        const question = this.#questions.get(reader.u32());
        const upTo = reader.f64();
        const state = reader.text();
        question?.resolve({ upTo, state: state === "" ? undefined : state });
        break;
      }
    }
  }

  async #letGo(link: Link, reader: PayloadReader): Promise<void> {
    const [id, namespace, pid, takenAt] = [reader.u32(), reader.text(), reader.text(), reader.f64()];
    const { upTo, state } = await this.#handlers.onLetGo(namespace, pid, takenAt);
    const writer = this.#writer.begin().u8(Message.GONE);
    if (link.isOpen)
      link.send(Kind.JOURNAL, [
        writer
          .u32(id)
          .f64(upTo)
          .text(state ?? "")
          .end(),
      ]);
  }
}
