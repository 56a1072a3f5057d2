import { internals, Server as EngineServer } from "@tidewire/engine";
import type { Engine } from "@tidewire/engine";
import type { AdapterConstructor, ClusterNode, ClusterOption } from "@tidewire/server";
import { Broadcasting } from "./broadcasting/broadcasting.ts";
import { clusterAdapter } from "./broadcasting/cluster-adapter.ts";
import { LinkBus } from "./broadcasting/link-bus.ts";
import { ClusterHandle } from "./cluster-handle.ts";
import { ClusterError } from "./errors.ts";
import { listeningPort } from "./listening-port.ts";
import { LocalNetwork } from "./local.ts";
import { Members } from "./members.ts";
import { Nodes } from "./nodes.ts";
import type { ClusterOptions } from "./options.ts";
import { SessionDirectory } from "./session-directory.ts";
import { defaultDirectory } from "./socket-directory.ts";

/** A server as a node of its cluster: joins the links with the engine, the adapters and `io.cluster`. */
export class ServerCluster implements ClusterOption {
  readonly adapter: AdapterConstructor;
  readonly handle: ClusterHandle;
  readonly #options: ClusterOptions;
  readonly #members: Members = new Members(new internals.NodeEventLoop());
  readonly #sessions: SessionDirectory;
  readonly #nodes: Nodes;
  #state: ClusterNode["state"] = "joining";
  #engine: Engine | undefined = undefined;
  #network: LocalNetwork | undefined = undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#sessions = new SessionDirectory(this.#members, options);
    this.#nodes = new Nodes(this.#members, {
      ownStatus: () => ({ state: this.#state, sessions: this.#engine?.clientsCount ?? 0 }),
      onJoin: (node) => this.handle.emit("join", node),
      onLeave: (node) => this.handle.emit("leave", node),
    });
    const nodes = this.#nodes;
    const isReady = (): boolean => this.#state === "up";
    this.handle = new ClusterHandle({
      nodes: () => nodes.list(),
      get isReady() {
        return isReady();
      },
    });
    if (options.adapter !== undefined) {
      this.adapter = options.adapter;
      return;
    }
    const broadcasting = new Broadcasting(new LinkBus(this.#members), (from, missed) =>
      this.handle.emit("gap", { from, missed }),
    );
    this.adapter = clusterAdapter(broadcasting);
  }

  joinEngine(engine: Engine): void {
    if (this.#engine !== undefined) throw new ClusterError("NO_OTHER_SERVER");
    this.#engine = engine;
    this.#members.enter();
    const entering = this.#enter(engine).catch((error: unknown) => this.#members.loop.rethrow(error));
    this.#sessions.startWith(entering);
    engine.joinCluster(this.#sessions);
  }

  drain(isDraining: boolean): void {
    this.#state = isDraining ? "draining" : "up";
    this.#sessions.drain(isDraining);
    this.#nodes.announce();
  }

  retire(): Promise<void> {
    this.drain(true);
    // Clients whose polls are answered now must not come back here.
    if (this.#engine instanceof EngineServer) this.#engine.stopListening();
    return this.#sessions.retire();
  }

  leave(): void {
    this.#state = "joining";
    this.#engine = undefined;
    this.#network?.stop();
    this.#network = undefined;
    this.#members.leave();
  }

  async #enter(engine: Engine): Promise<void> {
    const name = this.#options.name ?? String(await listeningPort(engine));
    // It may have left before its server listened.
    if (this.#engine !== engine) return;
    const members = this.#members;
    members.cluster = name;
    const network = new LocalNetwork(members, this.#options.directory ?? defaultDirectory(name), warn);
    this.#network = network;
    await network.start();
    if (this.#network !== network || this.#state !== "joining") return;
    this.#state = "up";
    this.#nodes.announce();
    this.handle.emit("ready");
  }
}

/** The node goes on with the links that it has. */
function warn(error: Error): void {
  process.emitWarning(`Other processes cannot find this one any more: ${error.message}`, {
    type: "TidewireWarning",
    code: "TIDEWIRE_CLUSTER_ALONE",
  });
}
