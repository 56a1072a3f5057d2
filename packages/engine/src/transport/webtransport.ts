import type { EnginePacket } from "@tidewire/parser";
import { encodeStreamFrames, ParseError, StreamFrameDecoder } from "@tidewire/parser";
import { safeCall } from "../loop/safe-call.ts";
import { Timeout } from "../loop/timeout.ts";
import { WebTransportClosedError } from "../errors.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";
import type {
  StreamReader,
  StreamWriter,
  WebTransportCloseInfo,
  WebTransportSession,
  WebTransportStream,
} from "./webtransport-session.ts";

/** How long the client may take to receive what was sent before the end, in ms. */
const CLOSE_TIMEOUT = 30_000;

/** How long a session may take to report why it has ended, after its stream has ended, in ms. */
const LAST_WORDS_TIMEOUT = 100;

/** The code with which a WebSocket closes for a frame that is too large. */
const TOO_LARGE: WebTransportCloseInfo = { closeCode: 1009, reason: "Max payload size exceeded" };

/** Engine.IO over the first bidirectional stream of a WebTransport session. */
export class WebTransportTransport extends Transport {
  readonly #session: WebTransportSession;
  readonly #reader: StreamReader<Uint8Array>;
  readonly #writer: StreamWriter;
  readonly #decoder: StreamFrameDecoder;
  /** Bytes written that the stream has not taken. */
  #buffered = 0;
  #sends = 0;
  #lastWrite: Promise<void> = Promise.resolve();
  #closeInfo: WebTransportCloseInfo | undefined = undefined;
  #closing: Timeout | undefined = undefined;
  /** Set once the stream is of no use: the session follows. */
  #losing: Timeout | undefined = undefined;

  constructor(
    session: WebTransportSession,
    stream: WebTransportStream,
    protocol: Protocol,
    owner: TransportOwner,
  ) {
    super(protocol, true, owner);
    this.#session = session;
    this.#reader = stream.readable.getReader();
    this.#writer = stream.writable.getWriter();
    this.#decoder = new StreamFrameDecoder(owner.opts.maxHttpBufferSize);
    this.writable = true;
  }

  get name(): "webtransport" {
    return "webtransport";
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  /** Begins to read. Call `attach` before. */
  start(): void {
    // In the callback of a promise, an error of a listener would count as an error of the stream.
    const end = (error?: WebTransportClosedError): void =>
      safeCall(this.owner.loop, () => this.#ended(error));
    this.#session.closed.then(
      (info) => end(errorOf(info as WebTransportCloseInfo | undefined)),
      (description: unknown) => end(new WebTransportClosedError({ description })),
    );
    void this.#read();
  }

  /** Hands the receiver a packet that was received before it was attached. */
  handOver(packet: EnginePacket): void {
    this.handlers?.onPacket(this.receiver, packet);
  }

  send(packets: readonly OutgoingPacket[]): boolean {
    const { codec } = this.wireProtocol;
    const bytes = encodeStreamFrames(
      packets.map((packet) => ({ content: packet.frame(codec, true), binary: packet.binary })),
    );
    // The session gathers what is sent until the stream takes more, and sends it at once.
    this.owner.traffic?.sent(bytes, packets);
    this.writable = false;
    this.#buffered += bytes.length;
    this.#sends++;
    this.#lastWrite = this.#write(bytes, this.#sends);
    return false;
  }

  /** Resolves once the stream has taken the bytes. Some implementations resolve long after they take more. */
  async #write(bytes: Buffer, send: number): Promise<void> {
    try {
      if (this.#isFull()) await this.#writer.ready;
      const written = this.#writer.write(bytes);
      if (!this.#isFull()) void Promise.resolve().then(() => this.#takesMore(send));
      else this.#writer.ready.then(() => this.#takesMore(send), ignore);
      await written;
    } catch (error) {
      // The client has reset the stream, or the session is over.
      this.#lost(error);
      return;
    }
    this.#buffered -= bytes.length;
    // A session that is closing waits for this.
    if (this.#buffered === 0) this.#takesMore(this.#sends);
  }

  #isFull(): boolean {
    return !((this.#writer.desiredSize ?? 0) > 0);
  }

  #takesMore(send: number): void {
    if (send !== this.#sends || this.writable) return;
    if (this.readyState !== "open" || this.#losing !== undefined) return;
    safeCall(this.owner.loop, () => {
      this.writable = true;
      this.announce("drain");
      this.handlers?.onWritable(this.receiver);
    });
  }

  async #read(): Promise<void> {
    const { turns, loop } = this.owner;
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        // What a closing session still reads is dropped.
        if (this.readyState === "open") this.#receive(value!);
        // Promises come before the next turn of the loop: a stream that always has more would never let it turn.
        if (turns.isOver(this)) await new Promise<void>((resolve) => loop.setImmediate(resolve));
      }
      this.#lost();
    } catch (error) {
      // The client has reset the stream, or the session is over.
      this.#lost(error);
    }
  }

  #receive(chunk: Uint8Array): void {
    const { loop, traffic } = this.owner;
    traffic?.received(chunk);
    try {
      for (const frame of this.#decoder.add(chunk)) {
        const packet = this.wireProtocol.codec.decodePacket(frame);
        traffic?.receivedPacket(packet);
        safeCall(loop, () => {
          this.announce("packet", packet);
          this.handlers?.onPacket(this.receiver, packet);
        });
        if (this.readyState !== "open") break;
      }
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      if (error.code === "PAYLOAD_TOO_LARGE") this.#closeInfo = TOO_LARGE;
      safeCall(loop, () => this.handlers?.onParseError(this.receiver, error));
    }
    safeCall(loop, () => this.handlers?.onReadEnd(this.receiver));
  }

  /** Closes the session and gives the client the reason. */
  refuse(info: WebTransportCloseInfo): void {
    this.#closeInfo = info;
    this.close();
  }

  /** Called when the stream is of no use any more. Without it, neither is the session. */
  #lost(description?: unknown): void {
    if (this.readyState !== "open" || this.#losing !== undefined) return;
    this.writable = false;
    const message = "the WebTransport stream ended";
    const error = new WebTransportClosedError({ message, description });
    this.#losing = new Timeout(() => this.#end(error));
    this.owner.clock.schedule(this.#losing, LAST_WORDS_TIMEOUT);
  }

  #end(error?: WebTransportClosedError): void {
    closeSession(this.#session, this.#closeInfo);
    this.#ended(error);
  }

  #ended(error?: WebTransportClosedError): void {
    for (const deadline of [this.#closing, this.#losing]) {
      if (deadline !== undefined) this.owner.clock.cancel(deadline);
    }
    // What the session reports about an end that we began is not an error.
    this.closed(this.readyState === "open" ? error : undefined);
  }

  protected doClose(done: () => void): void {
    this.writable = false;
    this.#closing = new Timeout(() => this.#end());
    this.owner.clock.schedule(this.#closing, CLOSE_TIMEOUT);
    done();
    void this.#finish();
  }

  /** Closes the stream first, which waits for what is being sent: closing the session drops it. */
  async #finish(): Promise<void> {
    try {
      await this.#lastWrite;
      await this.#writer.close();
    } catch {
      // Nobody reads it.
    }
    if (this.readyState !== "closed") this.#end();
  }
}

/** The error of a session that has ended; undefined if its client has closed it without a code. */
function errorOf(info: WebTransportCloseInfo | undefined): WebTransportClosedError | undefined {
  const { closeCode = 0, reason = "" } = info ?? {};
  if (closeCode === 0) return undefined;
  const message = `the WebTransport session closed with code ${closeCode}`;
  return new WebTransportClosedError({ message, closeCode, closeReason: reason });
}

/** Closes a session. One that has ended already stays ended. */
export function closeSession(session: WebTransportSession, info?: WebTransportCloseInfo): void {
  try {
    session.close(info);
  } catch {
    // It was not open.
  }
}

/** The write itself rejects as well, and is handled. */
function ignore(): void {}
