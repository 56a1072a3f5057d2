import type { EventLoop } from "@tidewire/engine";
import type { Members } from "../members.ts";
import { LinkError } from "../errors.ts";
import type { LinkPipe, PipeHandlers } from "./pipe.ts";

/** A connection between two nodes of one process, for tests, which can cut it and let it stall. */
export class MemoryConnection {
  /** Its two ends. */
  readonly ends: readonly [LinkPipe, LinkPipe];

  /** @param loop - delivers each write as a task of its own */
  constructor(loop: EventLoop) {
    const [left, right] = [new MemoryPipe(loop), new MemoryPipe(loop)];
    left.other = right;
    right.other = left;
    this.ends = [left, right];
    this.#pipes = [left, right];
  }

  readonly #pipes: readonly [MemoryPipe, MemoryPipe];

  /** Both ends lose the connection, with what is under way. */
  cut(): void {
    for (const pipe of this.#pipes) pipe.lose(new LinkError("CUT"));
  }

  /**
   * Nothing arrives any more, as when a process is stopped: what is written waits at the sender.
   *
   * @param end - only what this one sends; both by default
   */
  stall(end?: 0 | 1): void {
    for (const pipe of end === undefined ? this.#pipes : [this.#pipes[end]]) pipe.isStalled = true;
  }

  /** What waits arrives. */
  resume(): void {
    for (const pipe of this.#pipes) pipe.resume();
  }
}

/** Connects two nodes of one process. They know each other after a few turns of the loop. */
export function joinInMemory(loop: EventLoop, a: Members, b: Members): MemoryConnection {
  const connection = new MemoryConnection(loop);
  const [dialer, listener] = a.self < b.self ? [a, b] : [b, a];
  listener.accept(connection.ends[1]);
  dialer.dial(connection.ends[0]);
  return connection;
}

class MemoryPipe implements LinkPipe {
  readonly #loop: EventLoop;
  other!: MemoryPipe;
  #handlers: PipeHandlers | undefined = undefined;
  /** Writes that the other end has not received. */
  readonly #waiting: Buffer[] = [];
  bufferedAmount = 0;
  isStalled = false;
  #isOpen = true;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  start(handlers: PipeHandlers): void {
    this.#handlers = handlers;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#isOpen) return true;
    const data = Buffer.concat(chunks);
    this.#waiting.push(data);
    this.bufferedAmount += data.length;
    this.#loop.setImmediate(() => this.#deliver());
    return true;
  }

  end(): void {
    this.#close();
    // Behind what was written.
    this.#loop.setImmediate(() => this.other.lose());
  }

  destroy(): void {
    this.#close();
    this.#waiting.length = 0;
    this.#loop.setImmediate(() => this.other.lose());
  }

  /** The connection is gone, and the owner did not bring that about. */
  lose(error?: Error): void {
    if (!this.#isOpen) return;
    const handlers = this.#handlers;
    this.#close();
    this.#waiting.length = 0;
    this.#loop.setImmediate(() => handlers?.onClose(error));
  }

  resume(): void {
    this.isStalled = false;
    for (const _ of this.#waiting) this.#loop.setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    if (this.isStalled) return;
    const data = this.#waiting.shift();
    if (data === undefined) return;
    this.bufferedAmount -= data.length;
    this.other.#handlers?.onData(data);
    // Sockets are read into the same memory again.
    data.fill(0xff);
  }

  #close(): void {
    this.#isOpen = false;
    this.#handlers = undefined;
  }
}
