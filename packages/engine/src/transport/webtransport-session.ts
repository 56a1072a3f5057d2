/** The part of a `ReadableStreamDefaultReader` that the engine uses. */
export interface StreamReader<T> {
  read(): Promise<{ done: boolean; value?: T | undefined }>;
}

/** The part of a `WritableStreamDefaultWriter` that the engine uses. */
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

/** Why a session ends, for the client. */
export interface WebTransportCloseInfo {
  closeCode?: number;
  reason?: string;
}

/**
 * The part of a W3C WebTransport session that the engine uses. The `WebTransport` of browsers has it, and so have the sessions of
 * server packages such as `@fails-components/webtransport`.
 */
export interface WebTransportSession {
  readonly incomingBidirectionalStreams: { getReader(): StreamReader<WebTransportStream> };
  /** Settles when the session has ended: with the close info of the client, or with an error. */
  readonly closed: PromiseLike<unknown>;
  close(info?: WebTransportCloseInfo): void;
}
