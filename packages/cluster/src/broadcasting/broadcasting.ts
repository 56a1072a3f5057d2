import { internals } from "@tidewire/engine";
import { randomBytes } from "node:crypto";
import { LinkError } from "../errors.ts";
import type { Part } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import type { NodeId } from "../node-id.ts";
import { AskedClients } from "./asked-clients.ts";
import type { Bus } from "./bus.ts";
import { Cast, FIRST_REPLY, Status } from "./kinds.ts";
import { Questions } from "./questions.ts";
import type { Question } from "./questions.ts";
import { Sequences } from "./sequences.ts";

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
  readonly #onGap: (from: NodeId, missed: number) => void;
  readonly #writer: PayloadWriter = new PayloadWriter();
  readonly #epoch: number = randomBytes(4).readUInt32BE();
  #seq = 0;
  readonly #sequences: Sequences = new Sequences();
  readonly #questions: Questions = new Questions();
  /** The clients here that other nodes have asked. */
  readonly askedClients: AskedClients = new AskedClients();
  #namespaces: Namespaces | undefined = undefined;

  /** @param onGap - publications of another node were lost */
  constructor(bus: Bus, onGap: (from: NodeId, missed: number) => void) {
    this.#bus = bus;
    this.#onGap = onGap;
    bus.listen({
      onMessage: (from, payload) => this.#onMessage(from, payload),
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

  /**
   * Begins a message to all nodes, to be ended and passed to {@link publish} before anything of the application is called.
   * @param kind - one of those that are published
   */
  begin(kind: number, namespace: string): PayloadWriter {
    return this.#writer
      .begin()
      .u8(kind)
      .u32(this.#epoch)
      .f64(++this.#seq)
      .text(namespace);
  }

  publish(parts: readonly Part[]): void {
    this.#bus.publish(parts);
  }

  /** Begins a reply, for {@link reply}. */
  beginReply(kind: number, question: number): PayloadWriter {
    return this.#writer.begin().u8(kind).u32(question);
  }

  reply(to: NodeId, parts: readonly Part[]): void {
    this.#bus.send(to, parts);
  }

  /**
   * Registers a question, which is published next.
   * @param timeout - in ms
   * @returns the id of the question
   */
  ask(question: Question, timeout: number): number {
    return this.#questions.add(question, timeout);
  }

  #onMessage(from: NodeId, payload: Buffer): void {
    try {
      const reader = new PayloadReader(payload);
      const kind = reader.u8();
      if (kind >= FIRST_REPLY) this.#questions.onReply(reader.u32(), from, kind, reader);
      else this.#onPublication(from, kind, reader);
    } catch (error) {
      // The other errors are those of the application.
      if (error instanceof LinkError) throw error;
      internals.rethrow(error);
    }
  }

  #onPublication(from: NodeId, kind: number, reader: PayloadReader): void {
    const missed = this.#sequences.accept(from, { epoch: reader.u32(), seq: reader.f64() });
    if (missed === undefined) return;
    if (missed > 0) this.#onGap(from, missed);
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
