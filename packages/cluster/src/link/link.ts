import type { NodeId } from "../node-id.ts";

/** One part of a payload: text is sent as UTF-8. */
export type Part = string | Uint8Array;

/**
 * A connection to another node. What is sent arrives in order and once, or not at all: a link that breaks never comes back, and
 * nothing is sent again. Everything that is sent in one tick leaves in one write, when the tick ends.
 *
 * A message has a kind, one of `kinds.ts`, and a payload of any bytes. The payload is copied before a method returns, so its
 * buffers can be reused. A node ignores kinds that it does not know.
 */
export interface Link {
  /** The node at the other end. */
  readonly peer: NodeId;
  /** A random text that the other node made when it started: with the same id and another epoch, it is another node. */
  readonly epoch: string;
  /** Whether messages can be sent. On a link that is not open, `send` does nothing. */
  readonly isOpen: boolean;
  /** Bytes that wait here because the kernel, or the other node, does not take them. */
  readonly bufferedAmount: number;
  /** Whether so many bytes wait that requests should be refused instead of forwarded. */
  readonly isOverloaded: boolean;
  /** The round trip of the last heartbeat, in ms; undefined before the first. */
  readonly rtt: number | undefined;
  /** The time of the event loop, in ms, when the other node was last heard of. */
  readonly lastSeen: number;
  /**
   * Opens a stream, such as a forwarded request, and sends its first message. Either end can open one. On a link that is not
   * open, `handlers.onEnd(true)` is called soon after this returns.
   */
  open(kind: number, payload: readonly Part[], handlers: StreamHandlers): LinkStream;
  /** Tells the handlers of all streams that this node closes the connections of its clients. */
  retire(): void;
  /**
   * Sends a message outside any stream.
   *
   * @throws ClusterError (`TOO_LARGE`) if it has more than 1 GiB
   */
  send(kind: number, payload: readonly Part[]): void;
  /**
   * For the handler of a message: runs a task when all that has come with it has been handled. Until then, the bytes of its payload are
   * valid.
   */
  afterRead(task: () => void): void;
  /** Breaks the link at once: both ends are told, and nothing that waits is sent. */
  destroy(error?: Error): void;
}

/**
 * One conversation on a link. Its messages arrive in the order of `send` and `sendData`. It lasts until one end ends it or the
 * link breaks.
 */
export interface LinkStream {
  readonly link: Link;
  /** Whether neither end has ended it. */
  readonly isOpen: boolean;
  /**
   * Bytes given to `sendData` that wait here because the other end has not granted credit for them. It is 0 while the other end
   * keeps up, whatever is on its way: those 256 KiB are to a stream what the kernel's buffer is to a socket.
   */
  readonly bufferedAmount: number;
  /**
   * Sends a message, after the data that waits for credit. Does nothing on a stream that has ended. One of more than 1 GiB ends the
   * stream, at both ends, as the end of the link would.
   */
  send(kind: number, payload: readonly Part[]): void;
  /**
   * Sends a message that uses up credit: one byte for each byte of the payload. A message is sent whole while there is any
   * credit; otherwise it waits. Does nothing on a stream that has ended.
   *
   * @returns whether `bufferedAmount` is 0
   */
  sendData(kind: number, payload: readonly Part[]): boolean;
  /**
   * Returns credit to the other end, once this many bytes of the payloads that it sent with `sendData` have been passed on. Both
   * ends count the payload as it arrives in `onMessage`, its whole length.
   */
  grant(bytes: number): void;
  /** Sends a message and ends the stream, in one frame. Data that waits for credit is dropped. */
  finish(kind: number, payload: readonly Part[]): void;
  /**
   * Ends the stream. It is forgotten here at once, what waits for credit is dropped, and no handler is called any more. The other
   * end gets `onEnd(false)`, after all messages that were sent before, unless it has ended the stream, too.
   */
  end(): void;
}

/** What a link calls at the owner of a stream. */
export interface StreamHandlers {
  /** A message has arrived. The payload's bytes are only valid until this returns: copy what is kept. */
  onMessage(kind: number, payload: Buffer): void;
  /** `bufferedAmount` has fallen back to 0. */
  onDrain?(): void;
  /** This node closes the connections of its clients. */
  onRetire?(): void;
  /** The other end has ended the stream, or the link has broken. Called once, and last. */
  onEnd(isBroken: boolean): void;
}

/** What a link calls at its owner. */
export interface LinkHandlers {
  /**
   * The other node has opened a stream. The payload is only valid until this returns.
   *
   * @returns the stream's handlers, or undefined to end it
   */
  onStream(link: Link, stream: LinkStream, kind: number, payload: Buffer): StreamHandlers | undefined;
  /** A message outside any stream. The payload is only valid until this returns. */
  onMessage(link: Link, kind: number, payload: Buffer): void;
  /** The link has broken, and its streams have been told. Called once, and last. */
  onClose(link: Link, error: Error): void;
}
