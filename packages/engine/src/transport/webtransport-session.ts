/** The part of a `ReadableStreamDefaultReader` that is used. */
export interface StreamReader<T> {
  read(): Promise<{ done: boolean; value?: T | undefined }>;
}

/** The part of a `WritableStreamDefaultWriter` that is used. */
export interface StreamWriter {
  readonly desiredSize: number | null;
  readonly ready: Promise<unknown>;
  write(chunk: Uint8Array): Promise<unknown>;
  close(): Promise<unknown>;
}

/** A `WebTransportBidirectionalStream`. */
export interface WebTransportStream {
  readonly readable: { getReader(): StreamReader<Uint8Array> };
  readonly writable: { getWriter(): StreamWriter };
}

/** What a client is told about the end of its session. */
export interface WebTransportCloseInfo {
  closeCode?: number;
  reason?: string;
}

/**
 * A WebTransport session of the W3C shape, as far as it is used here: a browser's `WebTransport` has it, and so have the
 * sessions of server packages such as `@fails-components/webtransport`.
 */
export interface WebTransportSession {
  readonly incomingBidirectionalStreams: { getReader(): StreamReader<WebTransportStream> };
  /** Settles once the session has ended: with what the client said, or with an error. */
  readonly closed: PromiseLike<unknown>;
  close(info?: WebTransportCloseInfo): void;
}
