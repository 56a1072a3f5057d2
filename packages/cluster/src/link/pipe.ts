/** The connection below a link: it carries bytes in order, as a socket does. */
export interface LinkPipe {
  /** Bytes accepted by `write` that the kernel, or the other end, has not accepted yet. */
  readonly bufferedAmount: number;
  /** Names the handlers; nothing is delivered before. Called again, it replaces them. */
  start(handlers: PipeHandlers): void;
  /**
   * Sends all chunks in one write. Never drops one.
   *
   * @returns whether the chunks have been taken or copied, so that their memory can be reused
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Closes the connection once all that was written has been sent. No handler is called any more. */
  end(): void;
  /** Drops the connection. No handler is called any more. */
  destroy(): void;
}

/** What a pipe calls at its owner. */
export interface PipeHandlers {
  /** The chunk's bytes are only valid until this returns. */
  onData(chunk: Buffer): void;
  /** The connection has ended. Called once, and last. */
  onClose(error?: Error): void;
}
