import { internals, Server as EngineServer } from "@tidewire/engine";
import type { Engine } from "@tidewire/engine";
import type { AdapterConstructor, ClusterNode, ClusterOption } from "@tidewire/server";
import type { Adapter } from "socket.io-adapter";
import { Broadcasting } from "./broadcasting/broadcasting.ts";
import { clusterAdapter } from "./broadcasting/cluster-adapter.ts";
import type { ClusterNamespaceOfServer } from "./broadcasting/cluster-adapter.ts";
import { LinkBus } from "./broadcasting/link-bus.ts";
import { ChannelBus } from "./channels/channel-bus.ts";
import { ClusterHandle } from "./cluster-handle.ts";
import { ClusterError } from "./errors.ts";
import type { ClusterErrorCode } from "./errors.ts";
import { journalAdapter } from "./journal/journal-adapters.ts";
import type { JournalNamespace } from "./journal/journal-adapter.ts";
import { Journaling } from "./journal/journaling.ts";
import { listeningPort } from "./listening-port.ts";
import { LocalNetwork } from "./local.ts";
import { MachineNetwork } from "./machines/machine-network.ts";
import { Members } from "./members.ts";
import type { Network } from "./network.ts";
import type { NodeId } from "./node-id.ts";
import { Nodes } from "./nodes.ts";
import type { ClusterOptions } from "./options.ts";
import { SessionDirectory } from "./session-directory.ts";
import { defaultDirectory } from "./socket-directory.ts";

const { clearTimeout, setTimeout } = internals.timers;

/** More than it takes to retire, in ms. */
const LONGER = 60_000;

type NamespaceOfServer = ClusterNamespaceOfServer & JournalNamespace;

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
  /** Whether it has met the others. */
  #hasJoined = false;
  /** Whether the application was told so. */
  #hasToldReady = false;
  readonly #warned: Set<string> = new Set();
  /** Undefined unless this node is about to leave. */
  #retired: Promise<void> | undefined = undefined;
  #networks: readonly Network[] = [];
  /** Undefined if broadcasts do not travel on channels. */
  #channelBus: ChannelBus | undefined = undefined;
  /** Undefined if events are not kept. */
  #journaling: Journaling | undefined = undefined;
  /** Chosen for the first namespace. */
  #createAdapter: ((nsp: NamespaceOfServer) => Adapter) | undefined = undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#sessions = new SessionDirectory(this.#members, options, (id) => this.#nodes.stateOf(id));
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
    this.adapter = (nsp: NamespaceOfServer) => {
      this.#createAdapter ??= this.#chooseAdapter(nsp.server.opts.connectionStateRecovery !== undefined);
      return this.#createAdapter(nsp);
    };
  }

  /** @param recovers - whether clients that come back are to be recovered */
  #chooseAdapter(recovers: boolean): (nsp: NamespaceOfServer) => Adapter {
    const { backend, ordering } = this.#options;
    const onGap = (from: NodeId, missed: number): void => void this.handle.emit("gap", { from, missed });
    const told = (code: ClusterErrorCode): { onAway(error: Error): void; onBack(): void } => ({
      onAway: (error) => this.#tell("away", error, error),
      onBack: () => this.handle.emit("back", code),
    });
    if (backend?.journal !== undefined && (recovers || ordering === "stream")) {
      this.#journaling = new Journaling(backend.journal, this.#members, { ...told("JOURNAL_AWAY"), onGap });
      return journalAdapter(this.#journaling, this.#members, ordering === "stream", onGap);
    }
    if (backend?.channels !== undefined) {
      this.#channelBus = new ChannelBus(this.#members, backend.channels, told("CHANNELS_AWAY"));
    }
    return clusterAdapter(new Broadcasting(this.#channelBus ?? new LinkBus(this.#members), onGap));
  }

  joinEngine(engine: Engine): void {
    if (this.#engine !== undefined) throw new ClusterError("NO_OTHER_SERVER");
    this.#engine = engine;
    this.#members.enter();
    // Nobody may hear what it was when it left.
    this.#nodes.announce();
    const entering = this.#enter(engine).catch((error: unknown) => this.#members.loop.rethrow(error));
    this.#sessions.startWith(entering);
    engine.joinCluster(this.#sessions);
  }

  drain(isDraining: boolean): void {
    this.#become(isDraining ? "draining" : this.#hasJoined ? "up" : "joining");
    this.#sessions.drain(isDraining);
  }

  #become(state: ClusterNode["state"]): void {
    this.#state = state;
    this.#nodes.announce();
    if (state !== "up" || this.#hasToldReady) return;
    this.#hasToldReady = true;
    this.handle.emit("ready");
  }

  retire(): Promise<void> {
    const engine = this.#engine;
    // It has left already, or was never there.
    if (engine === undefined) return Promise.resolve();
    return (this.#retired ??= this.#retire(engine));
  }

  async #retire(engine: Engine): Promise<void> {
    this.drain(true);
    // Nothing else may keep the process, while somebody awaits this.
    const held = setTimeout(() => {}, LONGER);
    // Clients whose polls are answered now must not come back here.
    if (engine instanceof EngineServer) engine.stopListening();
    await this.#sessions.retire();
    clearTimeout(held);
  }

  leave(): Promise<void> | void {
    this.#state = "joining";
    this.#hasJoined = this.#hasToldReady = false;
    this.#engine = undefined;
    this.#retired = undefined;
    const parts = [...this.#networks, this.#channelBus, this.#journaling];
    const stopping = parts.map((part) => part?.stop()).filter((each) => each !== undefined);
    this.#networks = [];
    this.#members.leave();
    if (stopping.length > 0) return Promise.all(stopping).then(() => {});
  }

  async #enter(engine: Engine): Promise<void> {
    const name = this.#options.name ?? String(await listeningPort(engine));
    // It may have left before its server listened.
    if (this.#engine !== engine) return;
    const members = this.#members;
    members.cluster = name;
    this.#channelBus?.start(name);
    const journal = this.#journaling?.start(name);
    const networks = this.#networksOf(name);
    this.#networks = networks;
    // Those of this machine first: a node has one link to another.
    for (const network of networks) {
      await network.start();
      if (this.#networks !== networks) return;
    }
    // The first clients can be recovered, and find what they have missed.
    await journal;
    if (this.#networks !== networks) return;
    this.#hasJoined = true;
    if (this.#state === "joining") this.#become("up");
  }

  #networksOf(name: string): Network[] {
    const members = this.#members;
    const { directory, listen, backend } = this.#options;
    const discovery = this.#options.discovery ?? backend?.discovery;
    if (listen === undefined || discovery === undefined) {
      return [new LocalNetwork(members, directory ?? defaultDirectory(name), warn)];
    }
    const machines = new MachineNetwork(members, discovery, listen, {
      onAway: (error) => this.#tell("away", error, error),
      onBack: () => this.handle.emit("back", "DISCOVERY_AWAY"),
      onRefused: (error, address) => this.#tell("refused", error, { address, error }),
      onError: warn,
    });
    if (directory === undefined && process.getuid === undefined) return [machines];
    return [new LocalNetwork(members, directory ?? defaultDirectory(name), warn), machines];
  }

  /** Emits an event; the first time that nobody listens for it, its error is a warning of the process. */
  #tell(event: "away" | "refused", error: Error, detail: unknown): void {
    if (this.handle.emit(event, detail) || this.#warned.has(event)) return;
    this.#warned.add(event);
    const code = event === "away" ? "TIDEWIRE_CLUSTER_AWAY" : "TIDEWIRE_CLUSTER_REFUSED";
    process.emitWarning(error.message, { type: "TidewireWarning", code });
  }
}

/** The node goes on with the links that it has. */
function warn(error: Error): void {
  process.emitWarning(`Other processes cannot find this one any more: ${error.message}`, {
    type: "TidewireWarning",
    code: "TIDEWIRE_CLUSTER_ALONE",
  });
}
