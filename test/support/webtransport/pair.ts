import assert from "node:assert/strict";
import type { WebTransportCloseInfo, WebTransportSession, WebTransportStream } from "@tidewire/engine";
import { within } from "../waiting/queue.ts";

/** Bytes that one end of a stream may write before the other reads. */
export interface StreamOptions {
  highWaterMark?: number;
  /** What the server's writes wait for before they resolve; the stream accepts more meanwhile. */
  told?: Promise<void>;
}

/** One direction of a stream between two ends in this process. */
class Channel {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #pulled: (() => void) | undefined;

  constructor({ highWaterMark = 1 }: StreamOptions = {}) {
    this.readable = new ReadableStream(
      {
        start: (controller) => {
          this.#reader = controller;
        },
        pull: () => {
          this.#pulled?.();
          this.#pulled = undefined;
        },
        cancel: () => this.fail(new Error("the reader has gone")),
      },
      { highWaterMark },
    );
    this.writable = new WritableStream({
      start: (controller) => {
        this.#writer = controller;
      },
      write: async (chunk) => {
        this.#reader.enqueue(chunk);
        if ((this.#reader.desiredSize ?? 0) > 0) return;
        await new Promise<void>((resolve) => {
          this.#pulled = resolve;
        });
      },
      close: () => this.#reader.close(),
      abort: (reason) => this.#reader.error(reason),
    });
  }

  fail(error: Error): void {
    this.#pulled?.();
    try {
      this.#reader.error(error);
    } catch {
      // closed already
    }
    this.#writer.error(error);
  }
}

/** Both ends of a WebTransport session, made of W3C streams. */
export class WebTransportPair {
  /** The server's end. */
  readonly session: WebTransportSession;
  /** How the session ended, on either side; rejects when the connection was lost. */
  readonly closed: Promise<WebTransportCloseInfo>;
  readonly #incoming: ReadableStream<WebTransportStream>;
  #streams!: ReadableStreamDefaultController<WebTransportStream>;
  #resolve!: (info: WebTransportCloseInfo) => void;
  #reject!: (error: Error) => void;
  readonly #channels: Channel[] = [];
  #over = false;

  constructor() {
    this.closed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.closed.catch(() => {});
    this.#incoming = new ReadableStream({
      start: (controller) => {
        this.#streams = controller;
      },
    });
    this.session = {
      incomingBidirectionalStreams: this.#incoming,
      closed: this.closed,
      close: (info = {}) => this.close(info),
    };
  }

  /** The client opens a stream. */
  stream(options?: StreamOptions): WebTransportClientStream {
    const up = new Channel();
    const down = new Channel(options);
    this.#channels.push(up, down);
    const writable = options?.told === undefined ? down.writable : tellingLate(down.writable, options.told);
    this.#streams.enqueue({ readable: up.readable, writable });
    return new WebTransportClientStream(up.writable.getWriter(), down.readable);
  }

  close(info: WebTransportCloseInfo = {}): void {
    if (this.#over) throw new DOMException("the session is closed", "InvalidStateError");
    this.#resolve(info);
    this.#finish(new Error("the session was closed"));
  }

  /** The connection breaks. */
  lose(): void {
    const error = new Error("connection lost");
    this.#reject(error);
    this.#finish(error);
  }

  #finish(error: Error): void {
    this.#over = true;
    this.#streams.close();
    for (const channel of this.#channels) channel.fail(error);
  }
}

/** As some implementations do: promises of writes resolve late, `desiredSize` and `ready` do not wait for them. */
function tellingLate(
  writable: WritableStream<Uint8Array>,
  told: Promise<void>,
): WebTransportStream["writable"] {
  return {
    getWriter() {
      const writer = writable.getWriter();
      return {
        get desiredSize() {
          return writer.desiredSize;
        },
        get ready() {
          return writer.ready;
        },
        async write(chunk) {
          await writer.write(chunk);
          await told;
        },
        close: () => writer.close(),
      };
    },
  };
}

/** The client's end of a stream, in bytes. */
export class WebTransportClientStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, readable: ReadableStream<Uint8Array>) {
    this.#writer = writer;
    this.#reader = readable.getReader();
    this.#reader.closed.catch(() => {});
    writer.closed.catch(() => {});
  }

  /** Writes bytes given in hex, with quoted text: `01 "0"`. */
  write(bytes: string | Uint8Array): Promise<void> {
    return this.#writer.write(typeof bytes === "string" ? spelled(bytes) : bytes);
  }

  finish(): Promise<void> {
    return this.#writer.close();
  }

  reset(): Promise<void> {
    return this.#writer.abort(new Error("reset"));
  }

  /** The next chunk, that is, what the server wrote at once. It is not read from the server before this call. */
  async next(): Promise<Buffer> {
    const { done, value } = await within(this.#reader.read(), "bytes on a WebTransport stream");
    if (done) throw new Error("the stream has ended");
    return Buffer.from(value);
  }

  /** This many bytes, however they were written. */
  async take(size: number): Promise<Buffer> {
    let bytes = this.#rest;
    while (bytes.length < size) bytes = Buffer.concat([bytes, await this.next()]);
    this.#rest = bytes.subarray(size);
    return bytes.subarray(0, size);
  }

  /** The next frame, without its header. */
  async frame(): Promise<Buffer> {
    const [first = 0] = await this.take(1);
    const short = first & 0x7f;
    const size = short < 126 ? short : short === 126 ? (await this.take(2)).readUInt16BE() : 0;
    return this.take(size || Number((await this.take(8)).readBigUInt64BE()));
  }

  /** Reads this many bytes, and asserts that they are equal. */
  async expect(bytes: string): Promise<void> {
    const expected = spelled(bytes);
    assert.equal((await this.take(expected.length)).toString("latin1"), expected.toString("latin1"));
  }
}

/** `03 "4hi" ff` as bytes. */
function spelled(text: string): Buffer {
  const parts = text.match(/"[^"]*"|[0-9a-f]{2}/g) ?? [];
  return Buffer.concat(
    parts.map((part) => (part.startsWith('"') ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, "hex"))),
  );
}

export function endOf(pair: WebTransportPair): Promise<WebTransportCloseInfo> {
  return within(pair.closed, "the WebTransport session to close");
}
