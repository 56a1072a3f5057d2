import { internals } from "@tidewire/engine";
import type { internals as serverInternals } from "@tidewire/server";
import type { Room } from "socket.io-adapter";
import { LinkError } from "../errors.ts";
import type { Part } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import type { NodeId } from "../node-id.ts";
import { AskedClients } from "./asked-clients.ts";
import { NO_ROOMS } from "./bus.ts";
import type { Bus, RoomInterest } from "./bus.ts";
import { Cast, Status } from "./kinds.ts";
import { Questions } from "./questions.ts";
import type { Question } from "./questions.ts";
import { assertNotLarger } from "./size.ts";

/** The adapter of a namespace, as messages of other nodes reach it. */
export interface CastReceiver {
  /** @param kind - one of those that are published */
  onCast(from: NodeId, kind: number, reader: PayloadReader): void;
}

/** The namespaces of the server, by name. Their adapters are receivers, unless the application has set others. */
export interface Namespaces {
  get(name: string): { readonly adapter: object } | undefined;
}

/** Broadcasts, commands and questions between the servers of a cluster, for all their namespaces. One per server. */
export class Broadcasting {
  readonly #bus: Bus;
  readonly #writer: PayloadWriter = new PayloadWriter();
  readonly #questions: Questions = new Questions();
  /** The clients here that other nodes have asked. */
  readonly askedClients: AskedClients = new AskedClients();
  #namespaces: Namespaces | undefined = undefined;

  /** @param onGap - publications of another node were lost */
  constructor(bus: Bus, onGap: (from: NodeId, missed: number) => void) {
    this.#bus = bus;
    bus.listen({
      onMessage: (from, payload) => this.#read(from, payload, false),
      onReply: (from, payload) => this.#read(from, payload, true),
      onGap,
      onLeave: (node) => this.#onLeave(node),
    });
  }

  /** Says where the adapters are. */
  serve(namespaces: Namespaces): void {
    this.#namespaces = namespaces;
  }

  /** The other nodes, at this moment. */
  get others(): NodeId[] {
    return [...this.#bus.members()];
  }

  /** What must know which rooms have members here; undefined if every node gets everything. */
  get interest(): RoomInterest | undefined {
    return this.#bus.interest;
  }

  /** @throws ClusterError (`TOO_LARGE`) if a packet has more bytes than other nodes can be sent */
  assertCarried(encoded: serverInternals.EncodedPacket): void {
    assertNotLarger(encoded, this.#bus.maxBytes);
  }

  /**
   * Begins a message to other nodes, to be ended and passed to {@link publish} before anything of the application is called.
   * @param kind - one of those that are published
   */
  begin(kind: number, namespace: string): PayloadWriter {
    return this.#writer.begin().u8(kind).text(namespace);
  }

  /** @param rooms - nodes without members of these rooms need not get it; no room: all nodes get it */
  publish(namespace: string, parts: readonly Part[], rooms: ReadonlySet<Room> = NO_ROOMS): void {
    this.#bus.publish(namespace, rooms, parts);
  }

  /** What is published for the rooms from now on reaches sockets that other nodes have been told to let join. */
  widen(namespace: string, rooms: Iterable<Room>): void {
    this.#bus.widen(namespace, rooms);
  }

  /** Begins a reply, for {@link reply}. */
  beginReply(kind: number, question: number): PayloadWriter {
    return this.#writer.begin().u8(kind).u32(question);
  }

  reply(to: NodeId, parts: readonly Part[]): void {
    this.#bus.reply(to, parts);
  }

  /**
   * Registers a question, which is published next.
   * @param timeout - in ms
   * @returns the id of the question
   */
  ask(question: Question, timeout: number): number {
    this.#bus.hurry();
    return this.#questions.add(question, timeout);
  }

  #read(from: NodeId, payload: Buffer, isReply: boolean): void {
    try {
      const reader = new PayloadReader(payload);
      const kind = reader.u8();
      if (isReply) this.#questions.onReply(reader.u32(), from, kind, reader);
      else this.#onPublication(from, kind, reader);
    } catch (error) {
      // The other errors are those of the application.
      if (error instanceof LinkError) throw error;
      internals.rethrow(error);
    }
  }

  #onPublication(from: NodeId, kind: number, reader: PayloadReader): void {
    const adapter = this.#namespaces?.get(reader.text())?.adapter;
    if (kind === Cast.FORGET) this.askedClients.forget(from, reader.u32());
    else if (isReceiver(adapter)) adapter.onCast(from, kind, reader);
    else this.#answerAbsent(from, kind, reader);
  }

  #answerAbsent(from: NodeId, kind: number, reader: PayloadReader): void {
    if (kind === Cast.BROADCAST_WITH_ACK) {
      this.reply(from, [this.beginReply(Cast.REACHED, reader.u32()).u32(0).end()]);
    } else if (kind === Cast.SERVER_SIDE_ASK || kind === Cast.FETCH || kind === Cast.COUNT) {
      this.reply(from, [this.beginReply(Cast.ANSWER, reader.u32()).u8(Status.ABSENT).end()]);
    }
  }

  #onLeave(node: NodeId): void {
    this.askedClients.forgetAll(node);
    this.#questions.onLeave(node);
  }
}

function isReceiver(adapter: object | undefined): adapter is CastReceiver {
  return adapter !== undefined && "onCast" in adapter;
}
