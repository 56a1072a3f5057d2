import { ParseError } from "@tidewire/parser";
import type { EnginePacket } from "@tidewire/parser";
import { TransportError } from "../errors.ts";
import { Timeout } from "../loop/timeout.ts";
import { AnswerHead } from "../host/answer-head.ts";
import type { BodyError, HttpExchange, RequestHead } from "../host/host.ts";
import { compress, isAtLeast, negotiateEncoding } from "../http/compression.ts";
import { CLOSE, NOOP } from "../protocol/packet.ts";
import type { OutgoingPacket } from "../protocol/packet.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { parseQuery } from "../http/query.ts";
import type { Query } from "../http/query.ts";
import { BINARY_TYPE, plainFormat } from "./body-format.ts";
import type { BodyFormat } from "./body-format.ts";
import { JsonpFormat } from "./jsonp.ts";
import { Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";

/** How long an orderly close waits for the client's next poll, in ms. */
const CLOSE_TIMEOUT = 30_000;

/** A body may hold this many packets whatever its size. */
const FEW_PACKETS = 10_000;

/**
 * Size of the smallest event of Socket.IO with its separator, `42["a"]`, in bytes. No client sends a body with many packets that
 * are smaller on average.
 */
const SMALL_PACKET = 8;

/** Of the answer to a POST. Not text/plain: some old browsers would offer to download it. */
const OK: AnswerHead = new AnswerHead("text/html");
const OK_LENGTH = "2";

/** Engine.IO over HTTP long-polling: a parked GET carries packets down, a POST carries them up. */
export class PollingTransport extends Transport {
  static override readonly upgradesTo: readonly string[] = ["websocket", "webtransport"];

  readonly #format: BodyFormat;
  /** The GET that waits for packets. */
  #poll: HttpExchange | undefined = undefined;
  /** What the last answer travels on, if another process passes it on, until the next poll comes. */
  #carrier: HttpExchange["carrier"] = undefined;
  /** The URL of the poll that it answered. */
  #answeredUrl = "";
  /** The query of the handshake, until the first poll comes. */
  #handshake: Query | undefined;
  /** Whether no two polls have the same URL. The client's `timestampRequests` turns that off. */
  #hasTimestamps = false;
  /** The POST whose body is being read. */
  #post: HttpExchange | undefined = undefined;
  /** An orderly close that waits for the next GET. */
  #pendingClose: Timeout | undefined = undefined;

  /** @param query - that of the handshake: `j` asks for JSONP, `b64` for text alone */
  constructor(protocol: Protocol, query: Query, owner: TransportOwner) {
    const { j: callback, b64 } = query;
    const format = callback === undefined ? plainFormat : new JsonpFormat(callback);
    super(protocol, format.binary && !b64, owner);
    this.#format = format;
    this.#handshake = query;
  }

  get name(): "polling" {
    return "polling";
  }

  /** Always 0: a response is written whole, and then there is no poll to write to. */
  get bufferedAmount(): number {
    return 0;
  }

  override onRequest(exchange: HttpExchange): void {
    const { method } = exchange.request.head;
    if (method === "GET") this.#onPoll(exchange);
    else if (method === "POST") this.#onPost(exchange);
    else this.#refuse(exchange, 500, { name: "INVALID_METHOD", sid: this.sid, method });
  }

  #onPoll(exchange: HttpExchange): void {
    if (this.#poll !== undefined) {
      this.failed(new TransportError("POLL_OVERLAP"));
      exchange.respond(400, {});
      return;
    }
    if (this.#handshake !== undefined) this.#compare(this.#handshake, exchange.request.head.url);
    const carrier = this.#carrier;
    this.#carrier = undefined;
    // A client that has the answer asks with another timestamp.
    if (this.#hasTimestamps && carrier?.isOpen === false && exchange.request.head.url === this.#answeredUrl) {
      this.failed(new TransportError("POLL_REPEATED"));
      exchange.respond(400, {});
      return;
    }
    this.#poll = exchange;
    // Also while the answer is being sent: what the client has not read is lost.
    exchange.onAbort = () => {
      if (this.#poll === exchange) {
        this.#poll = undefined;
        this.writable = false;
      }
      if (this.readyState === "closed" || this.discarded) return;
      const body = this.owner.turns.backlogOf(this);
      const error = new TransportError("POLL_ABORTED");
      // What the client sent before it left is still handled.
      if (body === undefined) this.failed(error);
      else body.addEnd(() => this.failed(error));
    };
    this.writable = true;
    this.handlers?.onWritable(this.receiver);
    // An orderly close has waited for this poll, and nothing else was sent.
    if (this.writable && this.#pendingClose !== undefined) this.send([NOOP]);
  }

  /** Looks for a timestamp, whatever its name is: apart from the `sid`, it is what differs between the handshake and a poll. */
  #compare(handshake: Query, url: string): void {
    const { sid, ...rest } = parseQuery(url);
    if (!sid) return;
    this.#handshake = undefined;
    this.#hasTimestamps = Object.entries(rest).some(([name, value]) => handshake[name] !== value);
  }

  #onPost(exchange: HttpExchange): void {
    if (this.#post !== undefined) {
      this.failed(new TransportError("POST_OVERLAP"));
      exchange.respond(400, {});
      return;
    }
    const contentType = exchange.request.head.header("content-type");
    if (contentType === BINARY_TYPE && !this.wireProtocol.binaryBodies) {
      this.failed(new TransportError("INVALID_CONTENT"));
      exchange.respond(400, {});
      return;
    }
    this.#post = exchange;
    exchange.readBody(this.owner.opts.maxHttpBufferSize, (error, body) => {
      if (this.#post !== exchange) return;
      this.#post = undefined;
      if (error === undefined) this.owner.traffic?.received(body);
      if (error === undefined) this.#onBody(exchange, this.#format.unwrap(body, contentType));
      else this.#onBodyError(exchange, error);
    });
  }

  #onBodyError(exchange: HttpExchange, error: BodyError): void {
    if (error === "aborted") {
      this.failed(new TransportError("POST_ABORTED"));
      return;
    }
    const limit = this.owner.opts.maxHttpBufferSize;
    this.#refuse(exchange, 413, { name: "PAYLOAD_TOO_LARGE", sid: this.sid, limit });
  }

  /** Refuses a request. The session goes on. */
  #refuse(exchange: HttpExchange, status: number, context: Record<string, unknown>): void {
    exchange.respond(status, {});
    this.owner.onRefusal(exchange.request, context);
  }

  #onBody(exchange: HttpExchange, payload: string | Buffer | undefined): void {
    const { turns } = this.owner;
    const packets = (payload === undefined ? [] : this.#decode(payload))[Symbol.iterator]();
    if (!this.#take(packets, () => turns.isOver(this))) {
      this.#accept(exchange);
      return;
    }
    // The client sends no other body until this one is answered.
    this.#post = exchange;
    let end: (() => void) | undefined;
    turns.add(this, {
      work: (isOver) => this.#take(packets, isOver),
      finish: () => {
        if (this.#post === exchange) this.#post = undefined;
        this.#accept(exchange);
        end?.();
      },
      addEnd: (run) => {
        end = run;
      },
    });
  }

  /**
   * Handles packets of a body until the turn is over.
   *
   * @returns whether there may be more
   */
  #take(packets: Iterator<EnginePacket>, isOver: () => boolean): boolean {
    try {
      do {
        const { done, value: packet } = packets.next();
        if (done) return false;
        if (packet.type === "close") {
          this.#closedByClient();
          return false;
        }
        this.owner.traffic?.receivedPacket(packet);
        this.announce("packet", packet);
        this.handlers?.onPacket(this.receiver, packet);
      } while (!isOver());
      return this.handlers !== undefined;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.handlers?.onParseError(this.receiver, error);
      return false;
    } finally {
      this.handlers?.onReadEnd(this.receiver);
    }
  }

  #accept(exchange: HttpExchange): void {
    this.#respond(exchange, OK, "ok");
  }

  #decode(payload: string | Buffer): Iterable<EnginePacket> {
    const maxPackets = Math.max(FEW_PACKETS, this.owner.opts.maxHttpBufferSize / SMALL_PACKET);
    return this.wireProtocol.codec.decodePayload(payload, { maxPackets });
  }

  #closedByClient(): void {
    if (this.#poll !== undefined) this.#answer(this.#poll, [NOOP]);
    this.closed();
  }

  send(packets: readonly OutgoingPacket[]): boolean {
    const poll = this.#poll;
    const pendingClose = this.#pendingClose;
    if (poll !== undefined && pendingClose === undefined) {
      this.#answer(poll, packets);
    } else if (poll !== undefined && pendingClose !== undefined) {
      this.#pendingClose = undefined;
      this.#answer(poll, [...packets, CLOSE]);
      this.owner.clock.cancel(pendingClose);
      pendingClose.callback();
    }
    return true;
  }

  /** Answers the parked poll. Nothing can be written until the next one comes. */
  #answer(poll: HttpExchange, packets: readonly OutgoingPacket[]): void {
    this.#poll = undefined;
    this.#carrier = poll.carrier;
    if (this.#carrier !== undefined) this.#answeredUrl = poll.request.head.url;
    this.writable = false;
    const payload = this.wireProtocol.codec.encodePayload(packets, this.supportsBinary);
    const body = this.#format.wrap(payload);
    const head = this.#format.head(payload);
    this.owner.traffic?.sent(body, packets);
    const { httpCompression } = this.owner.opts;
    const encoding =
      httpCompression &&
      isAtLeast(body, httpCompression.threshold) &&
      packets.some((packet) => packet.options.compress)
        ? negotiateEncoding(poll.request.head)
        : undefined;
    if (encoding === undefined) {
      this.#respond(poll, head, body);
      this.announce("drain");
      return;
    }
    compress(encoding, body, httpCompression || {}, (compressed) => {
      this.#respond(poll, head, compressed ?? body, compressed && encoding);
      this.announce("drain");
    });
  }

  #respond(exchange: HttpExchange, head: AnswerHead, body: string | Buffer, encoding?: string): void {
    const { request } = exchange;
    const isTricked = mistakesPayloads(request.head);
    if (encoding === undefined && !isTricked && !this.owner.decorates) {
      exchange.answer(head, body);
      return;
    }
    // Text for a POST and a number for a poll, as listeners of `headers` see them officially.
    const headers = head.headers(head === OK ? OK_LENGTH : Buffer.byteLength(body));
    if (encoding !== undefined) headers["Content-Encoding"] = encoding;
    if (isTricked) headers["X-XSS-Protection"] = "0";
    this.owner.decorate(headers, request, this.sid);
    exchange.respond(200, headers, body);
  }

  /** Gives up an orderly close. */
  override discard(): void {
    super.discard();
    if (this.#pendingClose !== undefined) this.owner.clock.cancel(this.#pendingClose);
    this.#pendingClose = undefined;
  }

  protected doClose(done: () => void): void {
    // A body that was read and is being handled is still answered.
    if (this.owner.turns.backlogOf(this) === undefined) this.#post?.destroy();
    this.#post = undefined;
    const finish = (): void => {
      done();
      this.closed();
    };
    if (this.#poll !== undefined) {
      this.#answer(this.#poll, [CLOSE]);
      finish();
    } else if (this.discarded) {
      finish();
    } else {
      this.#pendingClose = new Timeout(finish);
      this.owner.clock.schedule(this.#pendingClose, CLOSE_TIMEOUT);
    }
  }
}

/** Whether the client is an old version of Internet Explorer, which mistakes a payload for a cross-site script. */
function mistakesPayloads(head: RequestHead): boolean {
  const agent = head.header("user-agent");
  return agent !== undefined && (agent.includes(";MSIE") || agent.includes("Trident/"));
}
