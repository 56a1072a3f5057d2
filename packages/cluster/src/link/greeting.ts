import type { EventLoop } from "@tidewire/engine";
import { LinkError } from "../errors.ts";
import type { NodeId } from "../node-id.ts";
import { FrameReader, FrameWriter, MAX_PAYLOAD } from "./frames.ts";
import { Kind } from "./kinds.ts";
import type { LinkPipe } from "./pipe.ts";
import { PayloadReader } from "./reader.ts";
import { PayloadWriter } from "./writer.ts";

/** The version of the protocol between nodes. A node also speaks the one before. */
export const VERSION = 1;

/** How long to wait for the greeting of the other node, in ms. */
export const GREETING_TIMEOUT = 3000;

/** The longest greeting, in bytes. */
const LONGEST = 1024;

const MAGIC = "tidewire";

/** How a node introduces itself on a new connection. */
export interface Greeting {
  readonly id: NodeId;
  /** Random; made when the node starts. */
  readonly epoch: string;
  /** The name of the cluster. */
  readonly cluster: string;
  /** The newest version of the protocol between nodes that it speaks; the one before is spoken, too. */
  readonly version: number;
  /** Whether the node that has made the connection does not know whom it has reached. */
  readonly isBlind?: boolean;
}

/** What a greeting calls at its owner: one of the two, once. */
export interface GreetingHandlers {
  /** Decides about the other node. It throws a `LinkError` to refuse it. */
  onGreeted(peer: Greeting): void;
  /** The nodes agree: the reader has what followed the greeting. */
  onAgreed(peer: Greeting, reader: FrameReader): void;
  /**
   * There will be no link.
   *
   * @param peer - the other node, if it has said who it is
   */
  onRefused(error: Error, peer?: NodeId): void;
}

/**
 * The first exchange on a connection. The node that made it says who it is; the other one checks that, and answers with its own
 * greeting, or with the reason why it refuses.
 */
export class GreetingExchange {
  readonly #pipe: LinkPipe;
  readonly #own: Greeting;
  readonly #isDialer: boolean;
  readonly #handlers: GreetingHandlers;
  readonly #reader: FrameReader = new FrameReader();
  #isOver = false;
  /** The other node, once it has said who it is. */
  #peer: NodeId | undefined = undefined;

  constructor(loop: EventLoop, pipe: LinkPipe, own: Greeting, isDialer: boolean, handlers: GreetingHandlers) {
    this.#pipe = pipe;
    this.#own = own;
    this.#isDialer = isDialer;
    this.#handlers = handlers;
    this.#reader.maxPayload = LONGEST;
    pipe.start({
      onData: (chunk) => this.#onData(chunk),
      onClose: (error) => this.#fail(error ?? new LinkError("CLOSED")),
    });
    loop.setTimeout(() => this.abort(new LinkError("NO_GREETING")), GREETING_TIMEOUT);
    if (isDialer) this.#greet();
  }

  /** Drops the connection, unless the nodes have agreed. */
  abort(error: Error): void {
    if (this.#isOver) return;
    this.#pipe.destroy();
    this.#fail(error);
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk);
    let peer: Greeting;
    try {
      if (!this.#reader.next()) return;
      peer = this.#readGreeting();
      assertSame(this.#own, peer);
      this.#handlers.onGreeted(peer);
    } catch (error) {
      const isGreeting = error instanceof LinkError && error.code !== "MALFORMED";
      this.#refuse(isGreeting ? error : new LinkError("NOT_A_NODE"));
      return;
    }
    this.#isOver = true;
    this.#reader.maxPayload = MAX_PAYLOAD;
    if (!this.#isDialer) this.#greet();
    this.#handlers.onAgreed(peer, this.#reader);
  }

  #refuse(error: LinkError): void {
    // A dialer closes without a word, and nobody answers a stranger.
    if (!this.#isDialer && error.code !== "NOT_A_NODE") {
      this.#send(Kind.REFUSE, writer.begin().text(error.message).text(this.#own.id).text(error.code).end());
      this.#pipe.end();
    } else {
      this.#pipe.destroy();
    }
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handlers.onRefused(error, this.#peer);
  }

  #greet(): void {
    const { version, cluster, id, epoch, isBlind = false } = this.#own;
    const payload = writer.begin().text(MAGIC).u8(version).text(cluster).text(id).text(epoch);
    this.#send(Kind.HELLO, payload.u8(isBlind ? 1 : 0).end());
  }

  /** @throws LinkError */
  #readGreeting(): Greeting {
    const { kind, payload } = this.#reader;
    const reader = new PayloadReader(payload);
    if (kind === Kind.REFUSE) {
      const message = reader.text();
      const [peer, reason] = reader.rest().length > 0 ? [reader.text(), reader.text()] : [];
      this.#peer = peer;
      throw new LinkError("REFUSED", message, reason);
    }
    if (kind !== Kind.HELLO || reader.text() !== MAGIC) throw new LinkError("NOT_A_NODE");
    const version = reader.u8();
    const greeting = { version, cluster: reader.text(), id: reader.text(), epoch: reader.text() };
    this.#peer = greeting.id;
    // What a later version adds follows, and is not read.
    return { ...greeting, isBlind: reader.rest().length > 0 && reader.u8() === 1 };
  }

  #send(kind: number, payload: Buffer): void {
    const frames = new FrameWriter();
    frames.add(kind, 0, [payload]);
    this.#pipe.write(frames.take());
  }
}

const writer = new PayloadWriter();

/** @throws LinkError if the nodes must not be linked */
function assertSame(own: Greeting, peer: Greeting): void {
  if (Math.abs(peer.version - own.version) > 1) throw new LinkError("OTHER_VERSION", String(peer.version));
  if (peer.cluster !== own.cluster) throw new LinkError("OTHER_CLUSTER", peer.cluster);
}
