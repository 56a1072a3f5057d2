import { internals } from "@tidewire/engine";
import type { HttpExchange } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import { answerThroughResponse, readAnswerHead } from "./answer.ts";
import { writePlainHead, writeWholeHead } from "./head.ts";

const writer = new PayloadWriter();

/** Where a request is forwarded to. */
export interface Destination {
  readonly link: Link;
  needsWholeHead: boolean;
  /** Whether the connection of the client closes after the answer, because this node is about to leave. */
  readonly closesConnections: boolean;
  /** The request has been sent, and waits for its answer. */
  onSent(request: ForwardedRequest): void;
  /** It has its answer, or its client has gone. */
  onSettled(request: ForwardedRequest): void;
  /** The link has broken before the answer. */
  onLost(exchange: HttpExchange): void;
}

/** A request that another node answers, at the node to which its client has sent it. It is never sent twice. */
export class ForwardedRequest implements StreamHandlers {
  readonly #destination: Destination;
  readonly #exchange: HttpExchange;
  readonly #target: internals.ClusterTarget;
  readonly #stream: LinkStream;
  #isAnswered = false;

  constructor(destination: Destination, exchange: HttpExchange, target: internals.ClusterTarget) {
    this.#destination = destination;
    this.#exchange = exchange;
    this.#target = target;
    const { head } = exchange.request;
    const write = destination.needsWholeHead ? writeWholeHead : writePlainHead;
    const stream = destination.link.open(Kind.REQUEST, [write(writer.begin(), head).end()], this);
    this.#stream = stream;
    exchange.onAbort = () => {
      destination.onSettled(this);
      stream.end();
    };
    if (hasBody(head.method)) this.#sendBody(stream);
    destination.onSent(this);
  }

  /** Whether it is a poll, which waits for messages. */
  get isPoll(): boolean {
    return !hasBody(this.#exchange.request.head.method);
  }

  /** Asks for an answer at once, for the connection of the client is about to close. */
  release(): void {
    this.#stream.send(Kind.RELEASE, []);
  }

  #sendBody(stream: LinkStream): void {
    this.#exchange.readBody(this.#target.maxPayload, (error, body) => {
      if (error === undefined) stream.send(Kind.BODY, [body]);
      else if (error === "too large") stream.send(Kind.BODY_TOO_LARGE, []);
    });
  }

  onMessage(kind: number, payload: Buffer): void {
    if (this.#isAnswered) return;
    // Read whole before anything is settled: a malformed answer breaks the link, which answers the client.
    if (kind === Kind.USUAL_RESPONSE) this.#answer(new PayloadReader(payload));
    else if (kind === Kind.RESPONSE) this.#respond(new PayloadReader(payload));
  }

  #answer(reader: PayloadReader): void {
    const needsWholeHead = reader.u8() === 1;
    const head = usualHead(reader.text());
    const body = bodyOf(reader);
    this.#begin(needsWholeHead);
    if (this.#destination.closesConnections)
      this.#exchange.respond(200, { ...head.headers(body.length), Connection: "close" }, body);
    else this.#exchange.answer(head, body);
  }

  #respond(reader: PayloadReader): void {
    const needsWholeHead = reader.u8() === 1;
    const head = readAnswerHead(reader);
    const body = bodyOf(reader);
    this.#begin(needsWholeHead);
    const exchange = this.#exchange;
    if (this.#destination.closesConnections) head.headers["Connection"] = "close";
    if (head.reason === "") exchange.respond(head.status, head.headers, body);
    else if (!exchange.ended) answerThroughResponse(exchange, head, body);
  }

  #begin(needsWholeHead: boolean): void {
    this.#destination.needsWholeHead = needsWholeHead;
    this.#settle();
  }

  #settle(): void {
    this.#isAnswered = true;
    this.#exchange.onAbort = undefined;
    this.#destination.onSettled(this);
  }

  onEnd(isBroken: boolean): void {
    if (this.#isAnswered) return;
    this.#settle();
    if (isBroken) this.#destination.onLost(this.#exchange);
    else this.#exchange.destroy();
  }
}

/** A copy: a host may hold it until the client takes it. */
function bodyOf(reader: PayloadReader): Buffer {
  return Buffer.from(reader.rest());
}

/** Most answers have the same head as the one before. */
let usual: internals.AnswerHead = new internals.AnswerHead("text/html");

function usualHead(contentType: string): internals.AnswerHead {
  if (usual.contentType !== contentType) usual = new internals.AnswerHead(contentType);
  return usual;
}

function hasBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}
