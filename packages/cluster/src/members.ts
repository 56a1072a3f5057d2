import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { EventLoop } from "@tidewire/engine";
import { LinkError } from "./errors.ts";
import { FramedLink } from "./link/framed-link.ts";
import { GreetingExchange, VERSION } from "./link/greeting.ts";
import type { Greeting } from "./link/greeting.ts";
import type { Link, LinkHandlers, LinkStream, StreamHandlers } from "./link/link.ts";
import type { LinkPipe } from "./link/pipe.ts";
import { newNodeId } from "./node-id.ts";
import type { NodeId } from "./node-id.ts";

/** How often nodes ask whether the others are alive, in ms. */
export const HEARTBEAT_INTERVAL = 1000;

/** A heartbeat that is this late, in ms, finds that the process was stopped, and that the others may have given it up. */
const STOPPED = 3 * HEARTBEAT_INTERVAL;

/** Turns of the loop in which the ends of links that have broken meanwhile are read. */
const TURNS = 3;

/** Handles the messages of one kind. Without a handler, a message is ignored. */
export interface KindHandler {
  /**
   * Another node has opened a stream with a message of this kind. The payload is only valid until this returns.
   *
   * @returns the stream's handlers, or undefined to end it
   */
  onStream?(link: Link, stream: LinkStream, payload: Buffer): StreamHandlers | undefined;
  /** A message outside any stream. The payload is only valid until this returns. */
  onMessage?(link: Link, payload: Buffer): void;
}

export interface MemberEvents {
  /** A node has joined: there is a link to it. */
  join: [id: NodeId, link: Link];
  /** The link to a node has ended, and with it all its streams. */
  leave: [id: NodeId, error: Error];
  /** This node has taken another id, because the others gave it up: its links have ended, and nobody knows the old id. */
  renew: [id: NodeId];
  /** A node that this one has to dial has greeted it: it is new, or has no link. */
  knock: [id: NodeId];
}

/** How a connection to another node turns out: one of the two callbacks is called, once. */
export interface DialHandlers {
  /** The id that the node must have, if it is known. */
  readonly expected?: NodeId;
  /** It may be any node, also one to which there is a link: that one stays. */
  readonly isBlind?: boolean;
  onLinked?(link: Link): void;
  /**
   * There is no link, and will be none on this connection.
   *
   * @param peer - who has refused, if it has said so
   */
  onRefused?(error: Error, peer?: NodeId): void;
}

/** Who is in the cluster: this node, and those to which it has links. */
export class Members extends EventEmitter<MemberEvents> {
  /** The loop of timers and tasks of this node. */
  readonly loop: EventLoop;
  #greeting: Greeting;
  readonly #peers: Map<NodeId, FramedLink> = new Map();
  readonly #handlers: Map<number, KindHandler> = new Map();
  /** The nodes that are being dialled, and known. */
  readonly #dialled: Set<NodeId> = new Set();
  /** Connections whose nodes have not agreed. */
  readonly #greetings: Set<GreetingExchange> = new Set();
  #isOpen = true;
  #isBeating = false;
  /** The process was stopped, and may have to take another id. */
  #isWaking = false;
  /** Another node has given up this one. */
  #isGivenUp = false;
  /** When the next heartbeat is due. */
  #nextBeat = 0;

  readonly #linkHandlers: LinkHandlers = {
    onStream: (link, stream, kind, payload) => this.#handlers.get(kind)?.onStream?.(link, stream, payload),
    onMessage: (link, kind, payload) => this.#handlers.get(kind)?.onMessage?.(link, payload),
    onClose: (link, error) => this.#onClose(link, error),
  };

  readonly #beat = (): void => {
    this.#isBeating = false;
    if (this.loop.now() - this.#nextBeat > STOPPED) this.#wake(TURNS);
    for (const link of this.#peers.values()) link.beat();
    this.#beatLater();
  };

  /** @param greeting - replaces defaults of this node's greeting */
  constructor(loop: EventLoop, greeting: Partial<Greeting> = {}) {
    super();
    this.loop = loop;
    this.#greeting = { id: newNodeId(), epoch: newEpoch(), cluster: "", version: VERSION, ...greeting };
  }

  /** The id of this node. It changes when the node was given up by the others. */
  get self(): NodeId {
    return this.#greeting.id;
  }

  /** Random; another one for each id of a node. */
  get epoch(): string {
    return this.#greeting.epoch;
  }

  /** The name of the cluster, which the nodes compare when they meet. */
  get cluster(): string {
    return this.#greeting.cluster;
  }
  set cluster(name: string) {
    this.#greeting = { ...this.#greeting, cluster: name };
  }

  /** The links to the other nodes. */
  get peers(): ReadonlyMap<NodeId, Link> {
    return this.#peers;
  }

  /** Returns the link to another node, if it is there. */
  link(id: NodeId): Link | undefined {
    return this.#peers.get(id);
  }

  /**
   * Registers the handler of a kind of messages, one of `kinds.ts`.
   *
   * @throws Error if the kind has one
   */
  handle(kind: number, handler: KindHandler): void {
    if (this.#handlers.has(kind)) throw new Error(`kind ${kind} has a handler already`);
    this.#handlers.set(kind, handler);
  }

  /**
   * Greets a node to which this one has made a connection. Of two nodes, the one with the smaller id makes it. The other one may
   * greet, too: it is refused, but known (`knock`).
   */
  dial(pipe: LinkPipe, handlers?: DialHandlers): void {
    this.#greet(pipe, true, handlers);
  }

  /** Waits for the greeting of a node that has made a connection to this one. */
  accept(pipe: LinkPipe, handlers?: DialHandlers): void {
    this.#greet(pipe, false, handlers);
  }

  /** Takes another id, because somebody else has this one, or because nobody knows it any more. All links end. */
  renew(): void {
    this.#isGivenUp = false;
    const error = new LinkError("RENEWED");
    for (const greeting of this.#greetings) greeting.abort(error);
    for (const link of this.#peers.values()) link.destroy(error);
    this.#greeting = { ...this.#greeting, id: newNodeId(), epoch: newEpoch() };
    this.emit("renew", this.self);
  }

  /** Comes back after `leave()`, under another id. */
  enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#isGivenUp = false;
    this.#greeting = { ...this.#greeting, id: newNodeId(), epoch: newEpoch() };
  }

  /** Sends what waits, then ends all links. There is no other until `enter()`. */
  leave(): void {
    this.#isOpen = false;
    for (const greeting of this.#greetings) greeting.abort(new LinkError("LEFT"));
    for (const link of this.#peers.values()) link.close();
  }

  #greet(pipe: LinkPipe, isDialer: boolean, handlers: DialHandlers | undefined): void {
    const expected = isDialer ? handlers?.expected : undefined;
    if (expected !== undefined && this.#dialled.has(expected)) {
      // On two connections at once, the other node would take each for the one that replaces the other.
      pipe.destroy();
      handlers?.onRefused?.(new LinkError("SAME_NODE", expected));
      return;
    }
    if (expected !== undefined) this.#dialled.add(expected);
    const onOver = (exchange: GreetingExchange): void => {
      this.#greetings.delete(exchange);
      if (expected !== undefined) this.#dialled.delete(expected);
    };
    const greeting = handlers?.isBlind === true ? { ...this.#greeting, isBlind: true } : this.#greeting;
    const exchange = new GreetingExchange(this.loop, pipe, greeting, isDialer, {
      onGreeted: (peer) => this.#assertWelcome(peer, isDialer, expected),
      onAgreed: (peer, reader) => {
        onOver(exchange);
        const link = new FramedLink(this.loop, pipe, this.self, peer, this.#linkHandlers, reader);
        this.#peers.set(peer.id, link);
        handlers?.onLinked?.(link);
        this.emit("join", peer.id, link);
        link.start();
        this.#beatLater();
      },
      onRefused: (error, peer) => {
        onOver(exchange);
        handlers?.onRefused?.(error, peer);
      },
    });
    this.#greetings.add(exchange);
  }

  /** @throws LinkError if there must be no link to this node, or not this one */
  #assertWelcome({ id, isBlind = false }: Greeting, isDialer: boolean, expected: NodeId | undefined): void {
    if (!this.#isOpen) throw new LinkError("LEFT");
    // Others may have tried to come back to the old id, and given up.
    if (this.#isWaking) throw new LinkError("RENEWED");
    if (id === this.self) throw new LinkError("SAME_NODE", id);
    if (expected !== undefined && id !== expected) throw new LinkError("OTHER_NODE", id);
    if (isDialer !== this.self < id) {
      if (!isDialer) this.emit("knock", id);
      throw new LinkError("OTHER_END_DIALS");
    }
    // The node with the smaller id makes a connection only if it has no link: it knows that the one we have is broken.
    // One that did not know whom it dials may have one.
    if (!isDialer && !isBlind) this.#peers.get(id)?.destroy(new LinkError("CLOSED"));
    if (this.#peers.has(id)) throw new LinkError("SAME_NODE", id);
  }

  #onClose(link: Link, error: Error): void {
    if (this.#peers.get(link.peer) !== link) return;
    this.#peers.delete(link.peer);
    if (this.#isWaking) {
      this.#isGivenUp = true;
    } else if (error instanceof LinkError && error.code === "GIVEN_UP") {
      this.#isGivenUp = true;
      this.#wake(TURNS);
    }
    this.emit("leave", link.peer, error);
  }

  /** The process was stopped, or blocked: what the others have done meanwhile is read first, then it is clear whether it was given up. */
  #wake(turns: number): void {
    this.#isWaking = turns > 0;
    if (this.#isWaking) {
      this.loop.setImmediate(() => this.#wake(turns - 1));
    } else if (this.#isGivenUp && this.#isOpen) {
      this.renew();
    }
  }

  #beatLater(): void {
    if (this.#isBeating || this.#peers.size === 0) return;
    this.#isBeating = true;
    this.#nextBeat = this.loop.now() + HEARTBEAT_INTERVAL;
    this.loop.setTimeout(this.#beat, HEARTBEAT_INTERVAL);
  }
}

function newEpoch(): string {
  return randomBytes(8).toString("base64url");
}
