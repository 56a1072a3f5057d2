import { ClusterError } from "../errors.ts";
import { ENDS } from "./frames.ts";
import { Kind } from "./kinds.ts";
import type { Link, LinkStream, Part, StreamHandlers } from "./link.ts";
import { LEAST_GRANT, WINDOW } from "./window.ts";
import { PayloadWriter } from "./writer.ts";

const writer = new PayloadWriter();

/** What a stream calls at its link. */
export interface StreamOwner extends Link {
  /**
   * @param stream - the id of the stream
   * @returns the length of the payload in bytes
   * @throws ClusterError (`TOO_LARGE`) if it has more than 1 GiB
   */
  sendFrame(kind: number, stream: number, payload: readonly Part[]): number;
  /** The stream has been ended here. */
  forget(stream: Stream): void;
  /** Calls back soon. */
  later(task: () => void): void;
}

/** A message that waits for credit, or behind one that does. */
interface Waiting {
  kind: number;
  payload: Buffer;
  /** The credit that it uses up, in bytes. */
  cost: number;
}

const noHandlers: StreamHandlers = { onMessage() {}, onEnd() {} };

/** One end of a stream. */
export class Stream implements LinkStream {
  readonly link: StreamOwner;
  readonly id: number;
  handlers: StreamHandlers = noHandlers;
  isOpen = true;
  /** Whether it has ended with its link. */
  isBroken = false;
  bufferedAmount = 0;
  /** Bytes that were sent as data and not granted back. */
  #outstanding = 0;
  #waiting: Waiting[] | undefined = undefined;
  /** Bytes that were granted here and not told to the other end. */
  #ungranted = 0;

  constructor(link: StreamOwner, id: number) {
    this.link = link;
    this.id = id;
  }

  send(kind: number, payload: readonly Part[]): void {
    if (!this.isOpen) return;
    if (this.#waiting === undefined) this.#write(kind, payload);
    else this.#waiting.push({ kind, payload: joined(payload), cost: 0 });
  }

  sendData(kind: number, payload: readonly Part[]): boolean {
    if (!this.isOpen) return true;
    if (this.#waiting === undefined && this.#outstanding < WINDOW) {
      this.#outstanding += this.#write(kind, payload);
      return true;
    }
    const copy = joined(payload);
    (this.#waiting ??= []).push({ kind, payload: copy, cost: copy.length });
    this.bufferedAmount += copy.length;
    return false;
  }

  grant(bytes: number): void {
    if (!this.isOpen) return;
    this.#ungranted += bytes;
    if (this.#ungranted < LEAST_GRANT) return;
    this.link.sendFrame(Kind.GRANT, this.id, [writer.begin().u32(this.#ungranted).end()]);
    this.#ungranted = 0;
  }

  finish(kind: number, payload: readonly Part[]): void {
    if (!this.isOpen) return;
    this.#close();
    this.link.forget(this);
    const length = this.#tryToSend(kind, this.id + ENDS, payload);
    if (length === undefined) this.link.sendFrame(Kind.END, this.id + ENDS, []);
  }

  /** Returns the length of the payload. The stream ends if it is too large. */
  #write(kind: number, payload: readonly Part[]): number {
    const length = this.#tryToSend(kind, this.id, payload);
    if (length !== undefined) return length;
    const { handlers } = this;
    this.isBroken = true;
    this.end();
    this.link.later(() => handlers.onEnd(true));
    return 0;
  }

  /** Returns undefined if the other node would not accept it. */
  #tryToSend(kind: number, stream: number, payload: readonly Part[]): number | undefined {
    try {
      return this.link.sendFrame(kind, stream, payload);
    } catch (error) {
      if (error instanceof ClusterError) return undefined;
      throw error;
    }
  }

  end(): void {
    this.finish(Kind.END, []);
  }

  /** The other end has granted bytes. */
  onGranted(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let sent = 0;
    for (const { kind, payload, cost } of waiting) {
      if (cost > 0 && this.#outstanding >= WINDOW) break;
      this.#outstanding += cost;
      this.bufferedAmount -= cost;
      this.#write(kind, [payload]);
      if (!this.isOpen) return;
      sent++;
    }
    if (sent < waiting.length) {
      waiting.splice(0, sent);
      return;
    }
    this.#waiting = undefined;
    this.handlers.onDrain?.();
  }

  /** The other end has ended the stream, or the link has broken. */
  onEnded(isBroken: boolean): void {
    const { handlers } = this;
    this.isBroken = isBroken;
    this.#close();
    handlers.onEnd(isBroken);
  }

  #close(): void {
    this.isOpen = false;
    this.handlers = noHandlers;
    this.#waiting = undefined;
    this.bufferedAmount = 0;
  }
}

/** Copies a payload into one buffer. */
function joined(payload: readonly Part[]): Buffer {
  return Buffer.concat(payload.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}
