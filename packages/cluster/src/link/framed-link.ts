import type { EventLoop } from "@tidewire/engine";
import { LinkError } from "../errors.ts";
import type { NodeId } from "../node-id.ts";
import type { Greeting } from "./greeting.ts";
import { ENDS, FrameReader, FrameWriter, OPENS } from "./frames.ts";
import { FIRST_OF_AREAS, Kind } from "./kinds.ts";
import type { LinkHandlers, LinkStream, Part, StreamHandlers } from "./link.ts";
import type { LinkPipe } from "./pipe.ts";
import { PayloadReader } from "./reader.ts";
import { Stream } from "./stream.ts";
import type { StreamOwner } from "./stream.ts";
import { LIMIT, OVERLOAD } from "./window.ts";
import { PayloadWriter } from "./writer.ts";

/** The link breaks after this many heartbeats in a row without a byte from the other node, or with too many that wait for it. */
const MISSED = 3;

const LAST_STREAM = 0x7fff_ffff;

const writer = new PayloadWriter();

/** A link over any pipe, once the nodes have greeted each other. */
export class FramedLink implements StreamOwner {
  readonly peer: NodeId;
  readonly epoch: string;
  readonly #loop: EventLoop;
  readonly #pipe: LinkPipe;
  readonly #handlers: LinkHandlers;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter = new FrameWriter();
  readonly #streams: Map<number, Stream> = new Map();
  /** One end opens streams with odd ids, the other with even ones. */
  readonly #firstStream: number;
  #nextStream: number;
  #isOpen = true;
  #isFlushing = false;
  /** Runs once the chunk has been read. */
  #afterRead: (() => void)[] = [];
  /** Heartbeats since the other node was heard of. */
  #missed = 0;
  /** Heartbeats since no more than the limit waits. */
  #overfull = 0;
  rtt: number | undefined = undefined;
  lastSeen: number;

  readonly #flush = (): void => {
    this.#isFlushing = false;
    if (!this.#isOpen || this.#writer.length === 0) return;
    if (this.#pipe.write(this.#writer.take())) this.#writer.recycle();
  };

  /**
   * @param self - the id of this node
   * @param reader - has read the peer's greeting; `start()` reads what followed it
   */
  constructor(
    loop: EventLoop,
    pipe: LinkPipe,
    self: NodeId,
    peer: Greeting,
    handlers: LinkHandlers,
    reader: FrameReader = new FrameReader(),
  ) {
    this.#loop = loop;
    this.#pipe = pipe;
    this.peer = peer.id;
    this.epoch = peer.epoch;
    this.#handlers = handlers;
    this.#reader = reader;
    this.#firstStream = this.#nextStream = self < peer.id ? 1 : 2;
    this.lastSeen = loop.now();
  }

  /** Begins to read, once the owner knows the link. */
  start(): void {
    this.#pipe.start({ onData: (chunk) => this.#onData(chunk), onClose: (error) => this.#onClose(error) });
    this.#read();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get bufferedAmount(): number {
    return this.#isOpen ? this.#writer.length + this.#pipe.bufferedAmount : 0;
  }

  get isOverloaded(): boolean {
    return this.bufferedAmount > OVERLOAD;
  }

  /** Streams that have not ended. */
  get streams(): number {
    return this.#streams.size;
  }

  open(kind: number, payload: readonly Part[], handlers: StreamHandlers): LinkStream {
    const stream = new Stream(this, this.#newId());
    stream.handlers = handlers;
    if (this.#isOpen) {
      this.#streams.set(stream.id, stream);
      this.sendFrame(kind | OPENS, stream.id, payload);
    } else {
      this.#loop.setImmediate(() => {
        if (stream.isOpen) stream.onEnded(true);
      });
    }
    return stream;
  }

  retire(): void {
    for (const stream of this.#streams.values()) this.#call(() => stream.handlers.onRetire?.());
  }

  send(kind: number, payload: readonly Part[]): void {
    this.sendFrame(kind, 0, payload);
  }

  sendFrame(kind: number, stream: number, payload: readonly Part[]): number {
    if (!this.#isOpen) return 0;
    const length = this.#writer.add(kind, stream, payload);
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      this.#loop.setImmediate(this.#flush);
    }
    return length;
  }

  afterRead(task: () => void): void {
    this.#afterRead.push(task);
  }

  forget(stream: Stream): void {
    this.#streams.delete(stream.id);
  }

  later(task: () => void): void {
    this.#loop.setImmediate(task);
  }

  destroy(error: Error = new LinkError("CUT")): void {
    if (!this.#isOpen) return;
    this.#pipe.destroy();
    this.#onClose(error);
  }

  /** Sends what waits, then closes the link: this node leaves. */
  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#pipe.end();
    this.#onClose(new LinkError("LEFT"));
  }

  /**
   * Called at every heartbeat: asks whether the other node is alive, and breaks the link if it has been silent, or too slow, for too
   * long.
   */
  beat(): void {
    this.#overfull = this.bufferedAmount > LIMIT ? this.#overfull + 1 : 0;
    if (++this.#missed > MISSED) {
      // A node that was stopped reads this when it goes on.
      this.send(Kind.LOST, []);
      this.#flush();
      this.destroy(new LinkError("HEARTBEAT_LOST"));
    } else if (this.#overfull > MISSED) {
      this.destroy(new LinkError("TOO_SLOW"));
    } else {
      this.send(Kind.PING, [writer.begin().f64(this.#loop.now()).end()]);
    }
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk);
    this.#read();
  }

  #read(): void {
    this.#missed = 0;
    this.lastSeen = this.#loop.now();
    const reader = this.#reader;
    try {
      while (this.#isOpen && reader.next()) this.#dispatch(reader.kind, reader.stream, reader.payload);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#afterRead.length === 0) return;
    const tasks = this.#afterRead;
    this.#afterRead = [];
    for (const task of tasks) this.#call(task);
  }

  #dispatch(kind: number, id: number, payload: Buffer): void {
    try {
      if (id >= ENDS) this.#onLast(kind, id - ENDS, payload);
      else if (kind < FIRST_OF_AREAS) this.#onOwn(kind, id, payload);
      else if (id === 0) this.#handlers.onMessage(this, kind, payload);
      else if ((kind & OPENS) !== 0) this.#onOpened(kind & ~OPENS, id, payload);
      else this.#streams.get(id)?.handlers.onMessage(kind, payload);
    } catch (error) {
      // The other node has no part in what the application throws.
      if (error instanceof LinkError) throw error;
      this.#loop.rethrow(error);
    }
  }

  #onOpened(kind: number, id: number, payload: Buffer): void {
    if (this.#streams.has(id) || id % 2 === this.#firstStream % 2) {
      throw new LinkError("MALFORMED", `it opens stream ${id} once more`);
    }
    const stream = new Stream(this, id);
    this.#streams.set(id, stream);
    const handlers = this.#handlers.onStream(this, stream, kind, payload);
    if (stream.isBroken) handlers?.onEnd(true);
    else if (!stream.isOpen) return;
    else if (handlers === undefined) stream.end();
    else stream.handlers = handlers;
  }

  /** The last message of a stream; one of the kind END says nothing else. */
  #onLast(kind: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    try {
      if (kind !== Kind.END) stream.handlers.onMessage(kind, payload);
    } catch (error) {
      // Then the stream ends with the link.
      if (error instanceof LinkError) throw error;
      this.#loop.rethrow(error);
    }
    if (!stream.isOpen) return;
    this.#streams.delete(id);
    stream.onEnded(false);
  }

  /** A message of the link itself. */
  #onOwn(kind: number, id: number, payload: Buffer): void {
    switch (kind) {
      case Kind.PING:
        this.send(Kind.PONG, [payload]);
        break;
      case Kind.PONG:
        this.rtt = this.#loop.now() - new PayloadReader(payload).f64();
        break;
      case Kind.LOST:
        this.destroy(new LinkError("GIVEN_UP"));
        break;
      case Kind.GRANT:
        this.#streams.get(id)?.onGranted(new PayloadReader(payload).u32());
        break;
      default:
    }
  }

  #onClose(error: Error = new LinkError("CLOSED")): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) {
      // An earlier one may have ended it.
      if (stream.isOpen) this.#call(() => stream.onEnded(true));
    }
    this.#call(() => this.#handlers.onClose(this, error));
  }

  #call(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#loop.rethrow(error);
    }
  }

  #newId(): number {
    for (;;) {
      const id = this.#nextStream;
      this.#nextStream = id + 2 > LAST_STREAM ? this.#firstStream : id + 2;
      // The ids begin anew after 2^30 streams, and older streams may still use some of them.
      if (!this.#streams.has(id)) return id;
    }
  }
}
