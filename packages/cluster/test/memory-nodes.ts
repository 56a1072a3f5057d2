import { setImmediate as turn } from "node:timers/promises";
import { Engine, MemoryHost } from "@tidewire/engine";
import type { EventLoop, MemoryCall, MemoryResponse, ServerOptions, Session } from "@tidewire/engine";
import type { ClusterNode } from "@tidewire/server";
import { DrivenLoop } from "../../engine/test/driven-loop.ts";
import { joinInMemory } from "../src/link/memory-link.ts";
import type { MemoryConnection } from "../src/link/memory-link.ts";
import { Members } from "../src/members.ts";
import { Nodes } from "../src/nodes.ts";
import { SessionDirectory } from "../src/session-directory.ts";
import type { BindingOptions } from "../src/session-directory.ts";

/** In ms. */
const PATIENCE = 15_000;

export interface MemoryNodesOptions {
  engine?: ServerOptions;
  binding?: BindingOptions;
}

/** A node of a cluster in one process: clients reach it by its host. */
export class MemoryNode {
  readonly members: Members;
  readonly directory: SessionDirectory;
  readonly engine: Engine;
  readonly host: MemoryHost = new MemoryHost();
  /** Sessions that its application was given. */
  readonly sessions: Session[] = [];
  readonly #nodes: Nodes;
  #state: ClusterNode["state"] = "up";

  constructor(loop: EventLoop, id: string, options: MemoryNodesOptions) {
    this.members = new Members(loop, { id });
    this.directory = new SessionDirectory(this.members, options.binding, (node) => this.#nodes.stateOf(node));
    this.#nodes = new Nodes(this.members, {
      ownStatus: () => ({ state: this.#state, sessions: 0 }),
      onJoin() {},
      onLeave() {},
    });
    this.#nodes.announce();
    this.engine = new Engine(options.engine, loop);
    this.engine.attachHost(this.host).joinCluster(this.directory);
    this.engine.on("connection", (session: Session) => this.sessions.push(session));
  }

  /** It takes no new clients, and tells the others. */
  drain(): void {
    this.engine.shutDown();
    this.directory.drain(true);
    this.say("draining");
  }

  /** What it is for the others. */
  say(state: ClusterNode["state"]): void {
    this.#state = state;
    this.#nodes.announce();
  }
}

/** Nodes that are linked in memory, on an event loop that the test drives. */
export class MemoryNodes {
  readonly loop: DrivenLoop = new DrivenLoop();
  readonly nodes: readonly MemoryNode[];
  readonly connections: readonly MemoryConnection[];

  constructor(ids: readonly string[], options: MemoryNodesOptions = {}) {
    this.nodes = ids.map((id) => new MemoryNode(this.loop, id, options));
    const connections: MemoryConnection[] = [];
    for (const [index, node] of this.nodes.entries()) {
      for (const other of this.nodes.slice(index + 1)) {
        connections.push(joinInMemory(this.loop, node.members, other.members));
      }
    }
    this.connections = connections;
    this.loop.advance(0);
  }

  /** Waits for the answer to a request. */
  done({ response }: MemoryCall): Promise<MemoryResponse> {
    return this.settled(response);
  }

  /** Waits for a promise that needs no time of the loop. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    // Some work is done in threads, such as compression, which a busy machine may let wait.
    const end = performance.now() + PATIENCE;
    while (!isSettled && performance.now() < end) await this.settle();
    if (!isSettled) throw new Error("it takes longer than it should");
    return promise;
  }

  /** Lets everything happen that needs no time, promises included. */
  async settle(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      this.loop.advance(0);
      await turn();
    }
    if (this.loop.uncaught.length > 0) throw new AggregateError(this.loop.uncaught.splice(0));
  }
}
