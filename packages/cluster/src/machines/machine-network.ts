import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:tls";
import type { Server, TLSSocket } from "node:tls";
import type { Discovery, FoundNode } from "../discovery/discovery.ts";
import { ClusterError, LinkError } from "../errors.ts";
import { listenAlone } from "../listen-alone.ts";
import { SocketPipe } from "../link/socket-pipe.ts";
import type { Members } from "../members.ts";
import type { Network } from "../network.ts";
import type { NodeId } from "../node-id.ts";
import { isSystemError } from "../socket-directory.ts";
import { wait } from "../wait.ts";
import { formatAddress, parseAddress, reachableHost } from "./address.ts";
import { HANDSHAKE_TIMEOUT, linkSecurity } from "./link-security.ts";
import type { LinkCredentials, LinkSecurity } from "./link-security.ts";

/** How often to dial nodes without a link, in ms. */
const DIAL_INTERVAL = 2000;

/** How long `start()` waits at most, in ms. */
const START_TIMEOUT = 3000;

/** Connections that have not greeted, at most. */
const MOST_STRANGERS = 1000;

/** Where a node listens for those of other machines, and how they prove who they are. */
export interface LinkListenOptions extends LinkCredentials {
  /**
   * The port, which is the links' alone; or the first and the last of a range, of which each process takes one that is free.
   * @default any free port, which the others learn from the discovery
   */
  port?: number | readonly [first: number, last: number];
  /**
   * The address to listen on.
   * @default all addresses of the machine
   */
  host?: string;
  /**
   * The host under which other machines reach this one.
   * @default `host`, or the first address of the machine
   */
  advertise?: string;
}

/** Callbacks of the network. */
export interface MachineNetworkHandlers {
  /** Nodes of other machines cannot be found at present. Links stay. */
  onAway(error: Error): void;
  onBack(): void;
  /** There is no link to a machine, because one of the two refuses the other. */
  onRefused(error: Error, address: string): void;
  /** The others cannot find this node any more. */
  onError(error: Error): void;
}

/** The nodes of several machines: links over TCP, always encrypted, between nodes that a discovery finds. */
export class MachineNetwork implements Network {
  readonly #members: Members;
  readonly #options: LinkListenOptions;
  readonly #security: LinkSecurity;
  readonly #discovery: Discovery;
  readonly #handlers: MachineNetworkHandlers;
  #server: Server | undefined = undefined;
  #address = "";
  #isOpen = true;
  #nodes: readonly FoundNode[] = [];
  /** Who listens at addresses that were found without an id. */
  readonly #learnt: Map<string, NodeId> = new Map();
  /** The last error of addresses that were dialled. */
  readonly #refusals: Map<string, string> = new Map();
  /** Addresses to which a connection is being made. */
  readonly #visits: Map<string, Promise<void>> = new Map();
  /** Connections of other nodes that have not greeted, and those that are being made. */
  readonly #sockets: Set<Socket> = new Set();

  readonly #dialAll = (): void => this.#dial(false);
  readonly #announceAgain = (): void => void this.#announce();
  readonly #onKnock = (id: NodeId): void => {
    // It may have come after the last look.
    if (!this.#nodes.some((node) => node.id === id)) this.#discovery.refresh();
    this.#dial(false);
  };
  readonly #dialLater = (): void => {
    if (!this.#isOpen) return;
    this.#dial(true);
    this.#members.loop.setTimeout(this.#dialLater, DIAL_INTERVAL);
  };

  /** @throws ClusterError if the options do not protect the links */
  constructor(
    members: Members,
    discovery: Discovery,
    options: LinkListenOptions,
    handlers: MachineNetworkHandlers,
  ) {
    this.#members = members;
    this.#options = options;
    this.#security = linkSecurity(options);
    this.#discovery = discovery;
    this.#handlers = handlers;
  }

  /** Where this node listens, once it does: `host:port`. */
  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { loop } = this.#members;
    await this.#listen();
    if (!this.#isOpen) return;
    this.#members.on("renew", this.#announceAgain);
    this.#members.on("leave", this.#dialAll);
    this.#members.on("knock", this.#onKnock);
    const found = new Promise<void>((resolve) => {
      this.#discovery.start(this.#members.cluster, {
        onNodes: (nodes) => {
          this.#nodes = nodes;
          this.#forgetOthers();
          this.#dial(true);
          resolve();
        },
        onTaken: () => this.#members.renew(),
        onAway: (error) => this.#handlers.onAway(error),
        onBack: () => this.#handlers.onBack(),
      });
    });
    const meeting = Promise.all([this.#announce(), found]).then(() => this.#meetAll());
    await Promise.race([meeting, wait(loop, START_TIMEOUT)]);
    loop.setTimeout(this.#dialLater, DIAL_INTERVAL);
  }

  stop(): Promise<void> {
    this.#isOpen = false;
    this.#members.off("renew", this.#announceAgain);
    this.#members.off("leave", this.#dialAll);
    this.#members.off("knock", this.#onKnock);
    const closed = this.#discovery.close();
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  async #listen(): Promise<void> {
    const { host = "" } = this.#options;
    const [first, last] = portsOf(this.#options);
    for (let port = first; ; port++) {
      const server = createServer(this.#security.server);
      server.maxConnections = MOST_STRANGERS;
      try {
        await listenAlone(server, host === "" ? { port } : { port, host });
      } catch (error) {
        const isTaken = isSystemError(error) && error.code === "EADDRINUSE";
        if (isTaken && port < last) continue;
        throw new ClusterError("CANNOT_LISTEN", String(error), { cause: error });
      }
      // It must not keep a process alive whose HTTP server has closed.
      server.unref();
      // Nor must one that never begins the handshake, until its time is over.
      server.on("connection", (socket: Socket) => socket.unref());
      server.on("secureConnection", (socket) => this.#onConnection(socket));
      server.on("tlsClientError", (error, socket) => this.#onStranger(error, socket));
      server.on("error", (error) => this.#handlers.onError(error));
      this.#server = server;
      const { advertise, host: own = "" } = this.#options;
      this.#address = formatAddress(advertise ?? reachableHost(own), (server.address() as AddressInfo).port);
      if (!this.#isOpen) server.close();
      return;
    }
  }

  /** Takes the id at the discovery, or another one. */
  async #announce(): Promise<void> {
    const { self: id, epoch } = this.#members;
    // A discovery that cannot be reached says so, and goes on trying.
    const hasId = await this.#discovery.announce({ id, epoch, address: this.#address }).catch(() => true);
    // Which announces the other one.
    if (!hasId && this.#isOpen && id === this.#members.self) this.#members.renew();
  }

  #onConnection(socket: TLSSocket): void {
    this.#keep(socket);
    socket.setNoDelay();
    const { remoteAddress = "" } = socket;
    this.#members.accept(new SocketPipe(socket), {
      onLinked: () => this.#sockets.delete(socket),
      onRefused: (error) => {
        if (isWorthTelling(error)) this.#tell(error, remoteAddress);
      },
    });
  }

  #onStranger(error: Error, socket: TLSSocket): void {
    const { remoteAddress = "" } = socket;
    socket.destroy();
    // One that connects and leaves, such as a health check, has not been refused.
    if (isSystemError(error) && error.code === "ECONNRESET") return;
    this.#tell(error, remoteAddress);
  }

  /** A node that is dialled again and again says the same again and again. */
  #refused(error: Error, address: string): void {
    if (this.#refusals.get(address) === error.message) return;
    this.#refusals.set(address, error.message);
    this.#tell(error, address);
  }

  #tell(error: Error, address: string): void {
    if (!this.#isOpen) return;
    const detail = `${address}: ${reasonOf(error)}`;
    this.#handlers.onRefused(new ClusterError("NODE_REFUSED", detail, { cause: error }), address);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** @param isThorough - whether to go to nodes that have to make the connection, too: they learn that this one is there */
  #dial(isThorough: boolean): void {
    if (!this.#isOpen) return;
    const { self } = this.#members;
    for (const { id, address } of this.#nodes) {
      const known = id ?? this.#learnt.get(address);
      if (address === this.#address || known === self || this.#visits.has(address)) continue;
      if (known !== undefined && this.#members.link(known) !== undefined) continue;
      if (known === undefined || isThorough || self < known)
        this.#visits.set(address, this.#visit(id, address));
    }
  }

  /** Forgets what is known of addresses that are nobody's any more. */
  #forgetOthers(): void {
    const addresses = new Set(this.#nodes.map(({ address }) => address));
    for (const known of [this.#learnt, this.#refusals])
      for (const address of known.keys()) if (!addresses.has(address)) known.delete(address);
  }

  async #visit(id: NodeId | undefined, address: string): Promise<void> {
    try {
      const socket = await this.#connect(address);
      await this.#greet(socket, id, address);
    } catch (error) {
      // One that does not listen has left, or will be back.
      if (isWorthTelling(error)) this.#refused(error, address);
    } finally {
      this.#visits.delete(address);
    }
  }

  #connect(address: string): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...parseAddress(address), ...this.#security.client });
      this.#keep(socket);
      socket.setNoDelay();
      socket.unref();
      let isSecure = false;
      this.#members.loop.setTimeout(() => {
        if (!isSecure) socket.destroy();
      }, HANDSHAKE_TIMEOUT);
      socket.once("error", reject);
      socket.once("close", () => reject(new ClusterError("NODE_REFUSED", address, { cause: UNREACHABLE })));
      socket.once("secureConnect", () => {
        isSecure = true;
        resolve(socket);
      });
    });
  }

  #greet(socket: TLSSocket, id: NodeId | undefined, address: string): Promise<void> {
    return new Promise((resolve) => {
      socket.once("close", resolve);
      this.#members.dial(new SocketPipe(socket), {
        ...(id === undefined ? { isBlind: true } : { expected: id }),
        onLinked: (link) => {
          this.#sockets.delete(socket);
          this.#refusals.delete(address);
          if (id === undefined) this.#learnt.set(address, link.peer);
          resolve();
        },
        onRefused: (error, peer) => {
          if (id === undefined && peer !== undefined) this.#learnt.set(address, peer);
          // node:tls drops a connection without a word if it does not accept the certificate.
          const isUnwelcome = this.#options.tls !== undefined && isClosed(error);
          if (isUnwelcome) this.#refused(new LinkError("UNWELCOME"), address);
          else if (isWorthTelling(error)) this.#refused(error, address);
          resolve();
        },
      });
    });
  }

  /** Waits for nodes to which this one has connected, and for those that it has knocked at. */
  async #meetAll(): Promise<void> {
    const members = this.#members;
    const visited = [...this.#visits.keys()];
    await Promise.all(this.#visits.values());
    const ids = new Map(this.#nodes.map(({ id, address }) => [address, id]));
    const areAllThere = (): boolean =>
      visited.every((address) => {
        const id = ids.get(address) ?? this.#learnt.get(address);
        return id === undefined || id === members.self || members.link(id) !== undefined;
      });
    while (this.#isOpen && !areAllThere()) await once(members, "join");
  }
}

const UNREACHABLE = "unreachable";

/** The codes of refusals that point to a wrong configuration, or to a stranger. */
const MISMATCHES: ReadonlySet<string | undefined> = new Set(["OTHER_CLUSTER", "OTHER_VERSION"]);

/** Whether an error says more than that a node does not listen, or is linked already. */
function isWorthTelling(error: unknown): error is Error {
  if (error instanceof LinkError) return MISMATCHES.has(error.reason ?? error.code);
  if (error instanceof ClusterError) return error.cause !== UNREACHABLE;
  return error instanceof Error && !("syscall" in error);
}

/** The codes of OpenSSL for different secrets, at either end. */
const OTHER_SECRET: ReadonlySet<unknown> = new Set([
  "ERR_SSL_PSK_IDENTITY_NOT_FOUND",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY",
]);

function reasonOf(error: Error): string {
  if ("code" in error && OTHER_SECRET.has(error.code)) return "the other node has another secret";
  // The messages of OpenSSL name the lines of its sources.
  const isOfOpenssl = "library" in error && "reason" in error && typeof error.reason === "string";
  return isOfOpenssl ? String(error.reason) : error.message;
}

function isClosed(error: Error): boolean {
  return error instanceof LinkError && error.code === "CLOSED";
}

function portsOf({ port = 0 }: LinkListenOptions): readonly [first: number, last: number] {
  return typeof port === "number" ? [port, port] : port;
}
