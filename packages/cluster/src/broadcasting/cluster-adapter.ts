import { internals as engineInternals } from "@tidewire/engine";
import { defaultParser } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import { internals } from "@tidewire/server";
import type { BroadcastOptions, Room, SocketId } from "socket.io-adapter";
import type { Part } from "../link/link.ts";
import type { PayloadReader } from "../link/reader.ts";
import type { PayloadWriter } from "../link/writer.ts";
import type { NodeId } from "../node-id.ts";
import { AckCount } from "./ack-count.ts";
import type { RoomInterest } from "./bus.ts";
import type { Broadcasting, CastReceiver, Namespaces } from "./broadcasting.ts";
import { Cast, Status } from "./kinds.ts";
import { RemotePacket } from "./remote-packet.ts";
import { assertNotLarger, MOST_BYTES } from "./size.ts";
import { Survey } from "./survey.ts";
import {
  decodePacket,
  decodeValues,
  encodeValues,
  endWithPacket,
  readPacket,
  readRooms,
  readTarget,
  writeRooms,
  writeTarget,
} from "./wire.ts";

const MemoryAdapter: typeof internals.MemoryAdapter = internals.MemoryAdapter;
type AckCallback = internals.AckCallback;
type SocketDetails = internals.SocketDetails<unknown>;

/** How long the other nodes may take to answer, in ms; as with the official adapters. */
const ANSWER_TIMEOUT = 5000;

/** How much longer than the application answers of clients are waited for, in ms, so that the last ones count. */
const ACK_GRACE = 1000;

/** How much longer than the asker answers are passed on, in ms: it says itself when it gives up. */
const FORGET_GRACE = 5000;

/** The namespace of the adapter. */
export interface ClusterNamespace extends internals.AdapterNamespace {
  readonly server: internals.AdapterNamespace["server"] & { readonly _parser?: Parser };
  /** Emits an event of another server. */
  _onServerSideEmit(args: unknown[]): void;
  /** Forgets the answers that clients have yet to send to the packet of this id. */
  _forgetAck(id: number): void;
}

/**
 * The adapter of a server in a cluster: broadcasts reach the clients of all nodes, commands and questions go to all nodes. A packet
 * is encoded once, by the node that sends it. Questions go to the nodes that can be reached, and do not wait for one that dies.
 */
export class ClusterAdapter extends MemoryAdapter implements CastReceiver {
  declare readonly nsp: ClusterNamespace;
  /** A client that comes back may reach a node that does not know it. */
  readonly keepsNoStates: boolean = true;
  readonly #broadcasting: Broadcasting;
  readonly #interest: RoomInterest | undefined;

  constructor(nsp: ClusterNamespace, broadcasting: Broadcasting) {
    super(nsp);
    this.#broadcasting = broadcasting;
    const interest = (this.#interest = broadcasting.interest);
    if (interest === undefined) return;
    this.on("create-room", (room: Room) => interest.add(nsp.name, room));
    this.on("delete-room", (room: Room) => interest.delete(nsp.name, room));
  }

  /** @returns what is fulfilled once broadcasts of other nodes arrive in the rooms; undefined if they do already */
  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    void super.addAll(id, rooms);
    return this.#interest?.reached(this.nsp.name, rooms);
  }

  /**
   * Sends a message to the other nodes.
   * @param rooms - those of whom it is for; without, all nodes get it
   */
  protected publish(parts: readonly Part[], rooms?: ReadonlySet<Room>): void {
    this.#broadcasting.publish(this.nsp.name, parts, rooms);
  }

  override serverCount(): Promise<number> {
    return Promise.resolve(this.#broadcasting.others.length + 1);
  }

  override broadcast(packet: Packet, target: BroadcastOptions): void {
    packet.nsp = this.nsp.name;
    const encoded = this.nsp.server.encoder.encode(packet);
    if (!isLocal(target)) {
      this.#broadcasting.assertCarried(encoded);
      const writer = this.#begin(Cast.BROADCAST);
      writeTarget(writer, target);
      this.publish(endWithPacket(writer, encoded), target.rooms);
    }
    this.send(packet, encoded, target);
  }

  override broadcastWithAck(
    packet: Packet,
    target: BroadcastOptions,
    clientCountCallback: (clients: number, servers?: number) => void,
    ack: AckCallback,
  ): void {
    const { others } = this.#broadcasting;
    if (others.length > 0) {
      // The caller expects a report of every server.
      if (isLocal(target)) clientCountCallback(0, others.length);
      else this.#askClients(others, packet, target, clientCountCallback, ack);
    }
    super.broadcastWithAck(packet, target, clientCountCallback, ack);
  }

  #askClients(
    others: readonly NodeId[],
    packet: Packet,
    target: BroadcastOptions,
    clientCountCallback: (clients: number, servers: number) => void,
    ack: AckCallback,
  ): void {
    // Without an id: each node gives it one of its own.
    const { type, data } = packet;
    const encoded = this.nsp.server.encoder.encode({ type, data, nsp: this.nsp.name });
    this.#broadcasting.assertCarried(encoded);
    const question = new AckCount(others, {
      onClients: safely(clientCountCallback),
      onAck: safely(ack),
      onTimeout: () => {
        const writer = this.#begin(Cast.FORGET).u32(id);
        this.publish([writer.end()]);
      },
    });
    const wait = (target.flags?.timeout ?? ANSWER_TIMEOUT) + ACK_GRACE;
    const id = this.#broadcasting.ask(question, wait);
    const writer = this.#begin(Cast.BROADCAST_WITH_ACK).u32(id).f64(wait);
    writeTarget(writer, target);
    this.publish(endWithPacket(writer, encoded));
  }

  override addSockets(target: BroadcastOptions, rooms: Room[]): void {
    if (!isLocal(target)) {
      this.#command(Cast.JOIN, target, (writer) => writeRooms(writer, rooms));
      this.#broadcasting.widen(this.nsp.name, rooms);
    }
    super.addSockets(target, rooms);
  }

  override delSockets(target: BroadcastOptions, rooms: Room[]): void {
    if (!isLocal(target)) this.#command(Cast.LEAVE, target, (writer) => writeRooms(writer, rooms));
    super.delSockets(target, rooms);
  }

  override disconnectSockets(target: BroadcastOptions, close: boolean): void {
    if (!isLocal(target)) this.#command(Cast.DISCONNECT, target, (writer) => writer.u8(close ? 1 : 0));
    super.disconnectSockets(target, close);
  }

  override async sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const sockets = await this.fetchSockets({ rooms, except: new Set() });
    return new Set(sockets.map(({ id }) => id));
  }

  override async fetchSockets(target: BroadcastOptions): Promise<SocketDetails[]> {
    const remote = this.#survey(Cast.FETCH, target, readSockets);
    const local = await super.fetchSockets(target);
    return [...local, ...(await remote).flat()];
  }

  override async count(target: BroadcastOptions): Promise<number> {
    const remote = this.#survey(Cast.COUNT, target, (reader) => reader.u32());
    let count = await super.count(target);
    for (const theirs of await remote) count += theirs;
    return count;
  }

  override serverSideEmit(args: unknown[]): void {
    const last = args.at(-1);
    if (typeof last !== "function") {
      const encoded = encodeValues(args);
      this.#broadcasting.assertCarried(encoded);
      this.publish(endWithPacket(this.#begin(Cast.SERVER_SIDE_EMIT), encoded));
      return;
    }
    const encoded = encodeValues(args.slice(0, -1));
    this.#broadcasting.assertCarried(encoded);
    const done = safely(last as AckCallback);
    const { others } = this.#broadcasting;
    if (others.length === 0) return engineInternals.timers.queueMicrotask(() => done(null, []));
    const question = new Survey(others, readValue, done);
    const id = this.#broadcasting.ask(question, ANSWER_TIMEOUT);
    this.publish(endWithPacket(this.#begin(Cast.SERVER_SIDE_ASK).u32(id), encoded));
  }

  #begin(kind: number): PayloadWriter {
    return this.#broadcasting.begin(kind, this.nsp.name);
  }

  #command(kind: number, target: BroadcastOptions, write: (writer: PayloadWriter) => void): void {
    const writer = this.#begin(kind);
    writeTarget(writer, target);
    write(writer);
    // On the way of the broadcasts, so that it does not overtake them.
    this.publish([writer.end()], target.rooms);
  }

  /** Asks all other nodes about their sockets. */
  #survey<T>(kind: number, target: BroadcastOptions, read: (reader: PayloadReader) => T): Promise<T[]> {
    const { others } = this.#broadcasting;
    if (isLocal(target) || others.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const question = new Survey(others, read, (error, answers) =>
        error ? reject(error) : resolve(answers),
      );
      const id = this.#broadcasting.ask(question, target.flags?.timeout ?? ANSWER_TIMEOUT);
      const writer = this.#begin(kind).u32(id);
      writeTarget(writer, target);
      this.publish([writer.end()]);
    });
  }

  onCast(from: NodeId, kind: number, reader: PayloadReader): void {
    switch (kind) {
      case Cast.BROADCAST: {
        const target = readTarget(reader);
        if (target.rooms.size > 0 && this.table.count(target.rooms) === 0) return;
        const parts = readPacket(reader);
        this.send(new RemotePacket(this.nsp.name, this.#parser, parts), parts, target);
        break;
      }
      case Cast.BROADCAST_WITH_ACK:
        this.#askForNode(from, reader);
        break;
      case Cast.JOIN:
        super.addSockets(readTarget(reader), readRooms(reader));
        break;
      case Cast.LEAVE:
        super.delSockets(readTarget(reader), readRooms(reader));
        break;
      case Cast.DISCONNECT:
        super.disconnectSockets(readTarget(reader), reader.u8() === 1);
        break;
      case Cast.SERVER_SIDE_EMIT:
        this.nsp._onServerSideEmit(decodeValues(readPacket(reader)));
        break;
      case Cast.SERVER_SIDE_ASK:
        this.#emitForNode(from, reader);
        break;
      case Cast.FETCH:
        void this.#fetchForNode(from, reader.u32(), readTarget(reader));
        break;
      case Cast.COUNT:
        void this.#countForNode(from, reader.u32(), readTarget(reader));
        break;
    }
  }

  get #parser(): Parser {
    return this.nsp.server._parser ?? defaultParser;
  }

  /** Asks the clients here for their answers to a broadcast of another node. */
  #askForNode(asker: NodeId, reader: PayloadReader): void {
    const question = reader.u32();
    const wait = reader.f64();
    const target = readTarget(reader);
    const { askedClients } = this.#broadcasting;
    const parts = readPacket(reader);
    let missing = 0;
    const onClients = (clients: number): void => {
      missing = clients;
      this.#broadcasting.reply(asker, [
        this.#broadcasting.beginReply(Cast.REACHED, question).u32(clients).end(),
      ]);
    };
    let packet: Packet;
    try {
      packet = decodePacket(this.#parser, parts);
    } catch (error) {
      // A parser may limit what it decodes.
      onClients(0);
      throw error;
    }
    super.broadcastWithAck(packet, target, onClients, (answer) => {
      // The official adapters pass on one argument, too.
      const encoded = encodeValues([answer]);
      if (--missing === 0) askedClients.delete(asker, question);
      const writer = this.#broadcasting.beginReply(Cast.ACK, question);
      this.#broadcasting.reply(asker, endWithPacket(writer, encoded));
    });
    const { id } = packet;
    if (missing > 0 && id !== undefined) {
      askedClients.add(asker, question, () => this.nsp._forgetAck(id), wait + FORGET_GRACE);
    }
  }

  /** Emits an event of another node that asks for an answer. */
  #emitForNode(asker: NodeId, reader: PayloadReader): void {
    const question = reader.u32();
    const args = decodeValues(readPacket(reader));
    let hasAnswered = false;
    const answer = (value?: unknown): void => {
      if (hasAnswered) return;
      const encoded = encodeValues([value]);
      assertNotLarger(encoded, MOST_BYTES);
      hasAnswered = true;
      const writer = this.#broadcasting.beginReply(Cast.ANSWER, question).u8(Status.ANSWERED);
      this.#broadcasting.reply(asker, endWithPacket(writer, encoded));
    };
    this.nsp._onServerSideEmit([...args, answer]);
  }

  async #fetchForNode(asker: NodeId, question: number, target: BroadcastOptions): Promise<void> {
    try {
      const sockets = await super.fetchSockets(target);
      const encoded = encodeValues(sockets.map(toPlain));
      assertNotLarger(encoded, MOST_BYTES);
      const writer = this.#broadcasting.beginReply(Cast.ANSWER, question).u8(Status.ANSWERED);
      this.#broadcasting.reply(asker, endWithPacket(writer, encoded));
    } catch (error) {
      // Such as data that cannot be encoded.
      const writer = this.#broadcasting.beginReply(Cast.ANSWER, question).u8(Status.FAILED);
      this.#broadcasting.reply(asker, [writer.text(String(error)).end()]);
    }
  }

  async #countForNode(asker: NodeId, question: number, target: BroadcastOptions): Promise<void> {
    const count = await super.count(target);
    const writer = this.#broadcasting.beginReply(Cast.ANSWER, question).u8(Status.ANSWERED);
    this.#broadcasting.reply(asker, [writer.u32(count).end()]);
  }
}

/** Returns the option `adapter` of a server. */
export function clusterAdapter(
  broadcasting: Broadcasting,
): (nsp: ClusterNamespaceOfServer) => ClusterAdapter {
  return (nsp) => {
    broadcasting.serve(nsp.server._nsps);
    if (nsp.server.opts.connectionStateRecovery) warnOfRecovery();
    return new ClusterAdapter(nsp, broadcasting);
  };
}

/** A namespace, with all those of its server. */
export interface ClusterNamespaceOfServer extends ClusterNamespace {
  readonly server: ClusterNamespace["server"] & {
    readonly _nsps: Namespaces;
    readonly opts: { readonly connectionStateRecovery?: object };
  };
}

let hasWarned = false;

function warnOfRecovery(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    "connectionStateRecovery has no effect in a cluster without a journal, such as that of redis() in @tidewire/cluster-redis: a client that comes back starts anew",
    { type: "TidewireWarning" },
  );
}

function isLocal({ flags }: BroadcastOptions): boolean {
  return flags?.local === true;
}

/** Calls a function of the application. What it throws must not keep others from what was received with it. */
function safely<Args extends unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      call(...args);
    } catch (error) {
      engineInternals.rethrow(error);
    }
  };
}

/** A socket as other nodes see it. */
function toPlain({ id, handshake, rooms, data }: SocketDetails): SocketDetails {
  // A session store, which express-session leaves there, may be circular; officially it stays behind, too.
  const { sessionStore: _, ...plain } = handshake as typeof handshake & { sessionStore?: unknown };
  return { id, handshake: plain, rooms: [...rooms], data };
}

function readSockets(reader: PayloadReader): SocketDetails[] {
  return decodeValues(readPacket(reader)) as SocketDetails[];
}

function readValue(reader: PayloadReader): unknown {
  return decodeValues(readPacket(reader))[0];
}
