import type { internals, UpgradeExchange } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import { PayloadWriter } from "../link/writer.ts";
import { answerThroughResponse, readAnswerHead, readHeaders } from "./answer.ts";
import { writeWholeHead } from "./head.ts";
import { RelayedWebSocket } from "./relayed-websocket.ts";

const writer = new PayloadWriter();

/** Where an upgrade is relayed to. */
export interface UpgradeDestination {
  readonly link: Link;
  /** The upgrade has been sent, and waits for its answer. */
  onSent(upgrade: RelayedUpgrade): void;
  /** It has its answer, or its client has gone. */
  onSettled(upgrade: RelayedUpgrade): void;
  /** The link has broken before the answer. */
  onLost(exchange: UpgradeExchange): void;
}

/** An upgrade request that another node answers, at the node to which its client has sent it. */
export class RelayedUpgrade implements StreamHandlers {
  readonly #destination: UpgradeDestination;
  readonly #exchange: UpgradeExchange;
  readonly #target: internals.ClusterTarget;
  readonly #stream: LinkStream;
  #isAnswered = false;
  #socket: RelayedWebSocket | undefined = undefined;

  constructor(destination: UpgradeDestination, exchange: UpgradeExchange, target: internals.ClusterTarget) {
    this.#destination = destination;
    this.#exchange = exchange;
    this.#target = target;
    writer.begin().u8(exchange.malformed ? 1 : 0);
    const head = writeWholeHead(writer, exchange.request.head).end();
    const stream = destination.link.open(Kind.UPGRADE, [head], this);
    this.#stream = stream;
    exchange.onAbort = () => {
      this.#settle();
      stream.end();
    };
    destination.onSent(this);
  }

  onMessage(kind: number, payload: Buffer): void {
    if (this.#socket !== undefined) this.#socket.onStreamMessage(kind, payload);
    else if (this.#isAnswered) return;
    else if (kind === Kind.ACCEPT) this.#accept(new PayloadReader(payload));
    else if (kind === Kind.REJECT) this.#reject(new PayloadReader(payload));
  }

  #accept(reader: PayloadReader): void {
    const exchange = this.#exchange;
    const headers = readHeaders(reader);
    this.#settle();
    exchange.accept(headers, (port) => {
      exchange.onAbort = undefined;
      const socket = new RelayedWebSocket(port, this.#stream, this.#target.limits);
      this.#socket = socket;
      return socket;
    });
  }

  #reject(reader: PayloadReader): void {
    const exchange = this.#exchange;
    const isUsual = reader.u8() === 1;
    const head = readAnswerHead(reader);
    const body = Buffer.from(reader.rest());
    this.#settle();
    exchange.onAbort = undefined;
    if (exchange.ended) return;
    if (isUsual) exchange.reject(head.status, body.toString());
    else answerThroughResponse(exchange, head, body);
  }

  #settle(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#destination.onSettled(this);
  }

  onDrain(): void {
    this.#socket?.onStreamDrain();
  }

  onRetire(): void {
    this.#socket?.close();
  }

  onEnd(isBroken: boolean): void {
    const exchange = this.#exchange;
    if (this.#socket !== undefined) {
      this.#socket.onStreamEnd(isBroken);
    } else if (!this.#isAnswered) {
      this.#settle();
      exchange.onAbort = undefined;
      if (isBroken) this.#destination.onLost(exchange);
      else exchange.response.destroy();
    }
  }
}
