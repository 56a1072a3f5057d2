import { once } from "node:events";
import { watch } from "node:fs";
import type { BigIntStats, FSWatcher } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { ClusterError } from "./errors.ts";
import { listenAlone } from "./listen-alone.ts";
import { SocketPipe } from "./link/socket-pipe.ts";
import type { Members } from "./members.ts";
import type { Network } from "./network.ts";
import type { NodeId } from "./node-id.ts";
import { isSystemError, nodeOfSocket, prepareDirectory, socketPath } from "./socket-directory.ts";
import { wait } from "./wait.ts";

/** How often to look for nodes in the directory, in ms, whatever its watcher has seen. */
const POLL_INTERVAL = 2000;

/**
 * How old a socket that refuses connections must be before it is removed, in ms: a process binds its socket a moment before it
 * listens.
 */
const SETTLED = 1000;

/** How long `start()` waits at most, in ms. */
const START_TIMEOUT = 1000;

/** How often to try another id if somebody has the one that was chosen. */
const ATTEMPTS = 5;

/**
 * The nodes of one machine, which find each other by their unix sockets in a directory. The name of a socket is the id of its node:
 * it can be bound once, so it leases the id. Of two nodes, the one with the smaller id connects; the other one knocks at its socket,
 * so that it does. Sockets of processes that have died are removed.
 */
export class LocalNetwork implements Network {
  readonly #members: Members;
  readonly #directory: string;
  readonly #onError: (error: Error) => void;
  #server: Server | undefined = undefined;
  #watcher: FSWatcher | undefined = undefined;
  #isOpen = true;
  #isListening = false;
  #isScanning = false;
  /** The directory has changed while it was read. */
  #hasChanged = false;
  /** Nodes to which a connection is being made. */
  readonly #visits: Map<NodeId, Promise<void>> = new Map();
  /** Connections of other nodes that have not greeted, and those that are being made. */
  readonly #sockets: Set<Socket> = new Set();

  readonly #scanSoon = (): void => void this.#scan(false);
  readonly #listenAgain = (): void => void this.#replaceServer();
  readonly #poll = (): void => {
    if (!this.#isOpen) return;
    void this.#scan(true);
    this.#members.loop.setTimeout(this.#poll, POLL_INTERVAL);
  };

  /**
   * @param directory - of the sockets of this cluster alone
   * @param onError - called when the others cannot find this node any more
   */
  constructor(members: Members, directory: string, onError: (error: Error) => void) {
    this.#members = members;
    this.#directory = directory;
    this.#onError = onError;
  }

  /**
   * Listens, and connects to the other nodes. Fulfilled once there are links to all of them, but after a second even if one hangs.
   *
   * @throws ClusterError
   */
  async start(): Promise<void> {
    prepareDirectory(this.#directory);
    await this.#listen();
    if (!this.#isOpen) return;
    this.#members.on("renew", this.#listenAgain);
    this.#members.on("leave", this.#scanSoon);
    this.#members.on("knock", this.#scanSoon);
    this.#watch();
    await this.#scan(true);
    await Promise.race([this.#meetAll(), wait(this.#members.loop, START_TIMEOUT)]);
    this.#members.loop.setTimeout(this.#poll, POLL_INTERVAL);
  }

  /** Cannot be found any more, and looks for nobody. Links stay. */
  stop(): void {
    this.#isOpen = false;
    this.#members.off("renew", this.#listenAgain);
    this.#members.off("leave", this.#scanSoon);
    this.#members.off("knock", this.#scanSoon);
    this.#watcher?.close();
    // This removes the socket, too.
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Listens under the id of this node, which may be another one by then. */
  async #listen(): Promise<void> {
    this.#isListening = true;
    try {
      for (let attempt = 1; ; attempt++) {
        const id = this.#members.self;
        const server = createServer((socket) => this.#onConnection(socket));
        try {
          await listenAlone(server, { path: socketPath(this.#directory, id) });
        } catch (error) {
          if (!isSystemError(error) || error.code !== "EADDRINUSE" || attempt >= ATTEMPTS) {
            throw new ClusterError("CANNOT_LISTEN", String(error), { cause: error });
          }
          if (id === this.#members.self) this.#members.renew();
          continue;
        }
        // It must not keep a process alive whose HTTP server has closed.
        server.unref();
        server.on("error", this.#onError);
        this.#server = server;
        if (this.#isOpen && id === this.#members.self) return;
        server.close();
        if (!this.#isOpen) return;
      }
    } finally {
      this.#isListening = false;
    }
  }

  /** The node has another id, or somebody has removed its socket. */
  async #replaceServer(): Promise<void> {
    // Then it is noticed there.
    if (this.#isListening) return;
    this.#server?.close();
    try {
      await this.#listen();
    } catch (error) {
      this.#onError(error as ClusterError);
    }
    await this.#scan(true);
  }

  #onConnection(socket: Socket): void {
    this.#keep(socket);
    this.#members.accept(new SocketPipe(socket), { onLinked: () => this.#sockets.delete(socket) });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#directory, { persistent: false }, this.#scanSoon);
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // The machine may have no watcher left. The poll still finds changes.
    }
  }

  /**
   * Looks for nodes without a link.
   *
   * @param isThorough - whether to go to those that have to make the connection, too, and to see to this node's own socket
   */
  async #scan(isThorough: boolean): Promise<void> {
    if (this.#isScanning) {
      this.#hasChanged = true;
      return;
    }
    this.#isScanning = true;
    do {
      this.#hasChanged = false;
      const nodes = await nodesOf(this.#directory);
      if (!this.#isOpen) return;
      const { self } = this.#members;
      for (const id of nodes) {
        if (id === self || this.#members.link(id) !== undefined || this.#visits.has(id)) continue;
        if (isThorough || self < id) this.#visits.set(id, this.#visit(id));
      }
      if (isThorough && this.#server?.listening === true && !nodes.includes(self)) {
        void this.#restoreSocket();
      }
    } while (this.#hasChanged);
    this.#isScanning = false;
  }

  /** Connects to a node: greets it, or finds that its process has died. */
  async #visit(id: NodeId): Promise<void> {
    const path = socketPath(this.#directory, id);
    const before = await find(path);
    const isDead = before !== undefined && this.#isOpen && !(await this.#greet(id, path));
    this.#visits.delete(id);
    if (isDead) await this.#remove(path, before);
  }

  /** @returns whether somebody listens */
  #greet(id: NodeId, path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const pipe = SocketPipe.connect(path);
      const { socket } = pipe;
      this.#keep(socket);
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
      socket.once("close", () => resolve(true));
      socket.once("connect", () => {
        this.#members.dial(pipe, {
          expected: id,
          onLinked: () => {
            this.#sockets.delete(socket);
            resolve(true);
          },
          onRefused: () => resolve(true),
        });
      });
    });
  }

  /** Removes the socket of a process that has died. @param before - what was there when nobody listened */
  async #remove(path: string, before: BigIntStats): Promise<void> {
    const found = await find(path);
    if (found === undefined || found.ino !== before.ino || found.ctimeNs !== before.ctimeNs) return;
    if (Date.now() - Number(found.ctimeMs) < SETTLED) {
      this.#members.loop.setTimeout(() => {
        if (this.#isOpen) void this.#scan(true);
      }, SETTLED);
      return;
    }
    await unlink(path).catch(ignoreSystemError);
  }

  /** Somebody has removed the directory or the socket in it, such as a job that cleans up temporary files. */
  async #restoreSocket(): Promise<void> {
    try {
      prepareDirectory(this.#directory);
    } catch (error) {
      this.#onError(error as Error);
      return;
    }
    this.#watcher?.close();
    this.#watch();
    await this.#replaceServer();
  }

  /** Waits for nodes to which this one has connected, and for those that it has knocked at. */
  async #meetAll(): Promise<void> {
    await Promise.all(this.#visits.values());
    const members = this.#members;
    const nodes = await nodesOf(this.#directory);
    const areAllThere = (): boolean =>
      nodes.every((id) => id === members.self || members.link(id) !== undefined);
    while (this.#isOpen && !areAllThere()) await once(members, "join");
  }
}

/** Returns the nodes that have a socket in the directory. */
async function nodesOf(directory: string): Promise<NodeId[]> {
  const nodes: NodeId[] = [];
  for (const file of (await readdir(directory, { withFileTypes: true }).catch(ignoreSystemError)) ?? []) {
    const id = file.isSocket() ? nodeOfSocket(file.name) : undefined;
    if (id !== undefined) nodes.push(id);
  }
  return nodes;
}

function find(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(ignoreSystemError);
}

/** What was looked for has gone meanwhile. */
function ignoreSystemError(error: unknown): undefined {
  if (!isSystemError(error)) throw error;
}
