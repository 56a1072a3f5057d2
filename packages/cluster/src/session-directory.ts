import type { internals } from "@tidewire/engine";
import type { ClusterNode } from "@tidewire/server";
import { Front } from "./forwarding/front.ts";
import { writeWholeHead } from "./forwarding/head.ts";
import { LinkHost } from "./forwarding/link-host.ts";
import { Outstanding } from "./forwarding/outstanding.ts";
import { StartingNode } from "./forwarding/starting-node.ts";
import { Successor } from "./forwarding/successor.ts";
import { Kind } from "./link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "./link/link.ts";
import { PayloadWriter } from "./link/writer.ts";
import type { Members } from "./members.ts";
import { nodeOf } from "./node-id.ts";
import type { NodeId } from "./node-id.ts";
import { wait } from "./wait.ts";

/** How long after the node has stopped listening requests may still arrive on connections that it had accepted, in ms. */
const LINGER = 200;

/** How long to wait for nodes that do not answer, in ms. */
const RETIRE_TIMEOUT = 5000;

const writer = new PayloadWriter();

/** When sessions are given to the application. */
export interface BindingOptions {
  /**
   * When a session on long-polling is given to the application: `late`, where its WebSocket shows up or after a short while
   * without one; `early`, at once, so that a WebSocket that shows up on another node is relayed from there.
   * @default "late"
   */
  bind?: "late" | "early";
  /**
   * How long a session on long-polling waits at most, in ms.
   * @default 500
   */
  bindTimeout?: number;
}

/** Returns what another node has said of itself. */
export type StateOf = (id: NodeId) => ClusterNode["state"];

/** Knows which node has which session, and forwards requests there. An engine joins it with `engine.joinCluster(directory)`. */
export class SessionDirectory implements internals.EngineCluster {
  readonly bindTimeout: number;
  starting: Promise<void> | undefined = undefined;
  readonly #members: Members;
  readonly #host: LinkHost;
  readonly #fronts: Map<NodeId, Front> = new Map();
  /** Where sessions are that began here and have moved, as long as they have requests. */
  readonly #moved: Map<string, NodeId> = new Map();
  readonly #outstanding: Outstanding = new Outstanding();
  readonly #bindsLate: boolean;
  readonly #stateOf: StateOf;
  #isDraining = false;
  /** The connections of its clients are about to close. */
  #isRetiring = false;
  /** Counts the new clients that others have taken. */
  #turn = 0;
  #target: internals.ClusterTarget | undefined = undefined;

  constructor(
    members: Members,
    { bind = "late", bindTimeout = 500 }: BindingOptions = {},
    stateOf: StateOf = () => "up",
  ) {
    this.#members = members;
    this.#bindsLate = bind === "late";
    this.#stateOf = stateOf;
    this.bindTimeout = bindTimeout;
    this.#host = new LinkHost(members);
    members.handle(Kind.CLAIM, {
      onStream: (link, stream, payload) => this.#onClaim(link, stream, payload.toString()),
    });
    members.handle(Kind.FORGET, { onMessage: (_link, payload) => this.#moved.delete(payload.toString()) });
    members.on("join", (id, link) => this.#onJoin(id, link));
    members.on("leave", (id) => this.#onLeave(id));
  }

  get idPrefix(): NodeId {
    return this.#members.self;
  }

  get bindsLate(): boolean {
    return this.#bindsLate && !this.#isDraining && this.#fronts.size > 0;
  }

  /** How many sessions began here, have moved to other nodes, and may still have requests. */
  get movedSessions(): number {
    return this.#moved.size;
  }

  bind(target: internals.ClusterTarget): void {
    this.#target = target;
    // It may have left before.
    this.#isDraining = this.#isRetiring = false;
    this.#host.bind(target);
    for (const [id, link] of this.#members.peers) this.#onJoin(id, link);
  }

  /** This node is about to leave, or stays after all. Meanwhile no session is held, or comes here. */
  drain(isDraining: boolean): void {
    this.#isDraining = isDraining;
    if (isDraining) this.#target?.bindAll();
  }

  /**
   * The connections of this node are about to close: polls that wait at other nodes are answered, and whatever else has been passed on.
   * When all of it is, at the latest after five seconds, relayed WebSockets are closed like those of this node's own sessions.
   *
   * @returns a promise that is fulfilled then
   */
  async retire(): Promise<void> {
    this.drain(true);
    this.#isRetiring = true;
    for (const front of this.#fronts.values()) front.retire();
    const { loop } = this.#members;
    await wait(loop, LINGER);
    await Promise.race([wait(loop, RETIRE_TIMEOUT), this.#outstanding.none()]);
    for (const link of this.#members.peers.values()) link.retire();
  }

  find(sid: string): internals.RemoteSession | undefined {
    const owner = nodeOf(sid);
    const at = owner === this.#members.self ? this.#moved.get(sid) : owner;
    const front = at === undefined ? undefined : this.#fronts.get(at);
    if (front?.link.isOpen) return front;
    return this.starting === undefined ? undefined : new StartingNode(this.starting, this.#target!);
  }

  /**
   * The other nodes take new clients in turn: those that are up, otherwise those that are about to be. A node that drains has said so
   * on its links before it passes anyone on, so that nobody comes back.
   */
  successor(): Successor | undefined {
    const target = this.#target;
    if (target === undefined) return undefined;
    const links = this.#linksTo("up") ?? this.#linksTo("joining");
    return links && new Successor(links[this.#turn++ % links.length]!, target, this.#outstanding);
  }

  /** @returns undefined if there is none */
  #linksTo(state: ClusterNode["state"]): Link[] | undefined {
    const links = [...this.#fronts.values()]
      .map(({ link }) => link)
      .filter((link) => link.isOpen && !link.isOverloaded && this.#stateOf(link.peer) === state);
    return links.length === 0 ? undefined : links;
  }

  /** Requests of new sessions and of unknown ones wait until this is fulfilled. */
  startWith(starting: Promise<void>): void {
    const started = starting.then(() => {
      if (this.starting === started) this.starting = undefined;
    });
    this.starting = started;
  }

  /** A WebSocket has no further requests. */
  onUpgraded(sid: string): void {
    this.#forget(sid);
  }

  onEnded(sid: string): void {
    this.#forget(sid);
  }

  #forget(sid: string): void {
    const owner = nodeOf(sid);
    if (owner !== this.#members.self) this.#fronts.get(owner)?.link.send(Kind.FORGET, [sid]);
  }

  #onJoin(id: NodeId, link: Link): void {
    if (this.#target === undefined) return;
    const front = new Front(link, this.#target, this, this.#outstanding);
    if (this.#isRetiring) front.retire();
    this.#fronts.set(id, front);
  }

  #onLeave(id: NodeId): void {
    this.#fronts.delete(id);
    for (const [sid, at] of this.#moved) if (at === id) this.#moved.delete(sid);
  }

  /** Another node asks for a session, whose WebSocket has shown up there. */
  #onClaim(link: Link, stream: LinkStream, sid: string): StreamHandlers | undefined {
    let claim = this.#target?.claim(sid, () => {
      claim = undefined;
      stream.end();
    });
    if (claim === undefined) return undefined;
    stream.send(Kind.MOVED, [writeWholeHead(writer.begin(), claim.handshake).end()]);
    return {
      onMessage: (kind) => {
        const front = this.#fronts.get(link.peer);
        if (kind !== Kind.IMPORTED || claim === undefined || front === undefined) return;
        const completed = claim;
        claim = undefined;
        this.#moved.set(sid, link.peer);
        stream.send(Kind.CONFIRM, []);
        completed.complete(front);
      },
      onEnd: () => {
        const abandoned = claim;
        claim = undefined;
        abandoned?.giveUp();
      },
    };
  }
}
