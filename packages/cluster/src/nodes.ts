import type { ClusterNode } from "@tidewire/server";
import { Kind } from "./link/kinds.ts";
import type { Link } from "./link/link.ts";
import { PayloadReader } from "./link/reader.ts";
import { PayloadWriter } from "./link/writer.ts";
import { HEARTBEAT_INTERVAL } from "./members.ts";
import type { Members } from "./members.ts";
import type { NodeId } from "./node-id.ts";

/** What a node says of itself. */
export interface NodeStatus {
  readonly state: ClusterNode["state"];
  readonly sessions: number;
}

/** What the nodes call at their owner. */
export interface NodesHandlers {
  /** Returns the status of this node. */
  ownStatus(): NodeStatus;
  onJoin(node: ClusterNode): void;
  /** The node as it was. */
  onLeave(node: ClusterNode): void;
}

/** In the order of their numbers in messages. */
const STATES: readonly ClusterNode["state"][] = ["joining", "up", "draining"];

const UNKNOWN: NodeStatus = { state: "joining", sessions: 0 };

const writer = new PayloadWriter();

/** Another node. */
interface Peer {
  readonly link: Link;
  status: NodeStatus;
}

/** The nodes of the cluster, with what they say of themselves: changes of their state at once, the rest every second. */
export class Nodes {
  readonly #members: Members;
  readonly #handlers: NodesHandlers;
  readonly #peers: Map<NodeId, Peer> = new Map();
  /** What the others know of this node. */
  #announced: NodeStatus = UNKNOWN;
  #isWaiting = false;

  readonly #announceLater = (): void => {
    this.#isWaiting = false;
    this.announce();
    this.#wait();
  };

  constructor(members: Members, handlers: NodesHandlers) {
    this.#members = members;
    this.#handlers = handlers;
    members.handle(Kind.STATUS, {
      onMessage: (link, payload) => this.#onStatus(link, new PayloadReader(payload)),
    });
    members.on("join", (id, link) => this.#onJoin(id, link));
    members.on("leave", (id) => this.#onLeave(id));
  }

  /** This node first. */
  list(): ClusterNode[] {
    const { self } = this.#members;
    const own = { id: self, ...this.#handlers.ownStatus(), rtt: 0, lastSeen: Date.now() };
    return [own, ...[...this.#peers.values()].map((peer) => this.#describe(peer))];
  }

  /** Returns what another node has said of itself: at first nothing, as one that is joining. */
  stateOf(id: NodeId): ClusterNode["state"] {
    return (this.#peers.get(id)?.status ?? UNKNOWN).state;
  }

  /** Sends the status of this node to the others, unless they know it. */
  announce(): void {
    const { state, sessions } = this.#handlers.ownStatus();
    if (state === this.#announced.state && sessions === this.#announced.sessions) return;
    this.#announced = { state, sessions };
    for (const { link } of this.#peers.values()) this.#sendStatus(link);
  }

  #onJoin(id: NodeId, link: Link): void {
    const peer = { link, status: UNKNOWN };
    this.#peers.set(id, peer);
    this.#sendStatus(link);
    this.#wait();
    this.#handlers.onJoin(this.#describe(peer));
  }

  #onLeave(id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    this.#handlers.onLeave(this.#describe(peer));
  }

  #onStatus(link: Link, reader: PayloadReader): void {
    const peer = this.#peers.get(link.peer);
    // A later version may have other states.
    if (peer !== undefined) peer.status = { state: STATES[reader.u8()] ?? "up", sessions: reader.u32() };
  }

  #sendStatus(link: Link): void {
    const { state, sessions } = this.#announced;
    link.send(Kind.STATUS, [writer.begin().u8(STATES.indexOf(state)).u32(sessions).end()]);
  }

  #describe({ link, status }: Peer): ClusterNode {
    const lastSeen = Date.now() - Math.round(this.#members.loop.now() - link.lastSeen);
    return { id: link.peer, ...status, rtt: link.rtt, lastSeen };
  }

  #wait(): void {
    if (this.#isWaiting || this.#peers.size === 0) return;
    this.#isWaiting = true;
    this.#members.loop.setTimeout(this.#announceLater, HEARTBEAT_INTERVAL);
  }
}
