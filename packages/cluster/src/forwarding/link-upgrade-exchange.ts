import type { OutgoingHttpHeaders } from "node:http";
import { internals } from "@tidewire/engine";
import type { RequestHead, WebSocketHandlers, WebSocketPort } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadWriter } from "../link/writer.ts";
import { writeAnswerHead, writeHeaders } from "./answer.ts";
import { LinkWebSocketPort } from "./link-websocket-port.ts";

const writer = new PayloadWriter();

/** An upgrade request that another node has forwarded. */
export class LinkUpgradeExchange extends internals.CollectedUpgradeExchange implements StreamHandlers {
  readonly request: internals.CopiedRequest;
  readonly #stream: LinkStream;
  readonly #isMalformed: boolean;
  #port: LinkWebSocketPort | undefined = undefined;
  /** Whether the answer is being written by `reject`. */
  #isRejecting = false;

  constructor(head: RequestHead, stream: LinkStream, isMalformed: boolean) {
    super();
    this.request = new internals.CopiedRequest(head, this);
    this.#stream = stream;
    this.#isMalformed = isMalformed;
  }

  override get malformed(): boolean {
    return this.#isMalformed;
  }

  onMessage(kind: number, payload: Buffer): void {
    this.#port?.onMessage(kind, payload);
  }

  onDrain(): void {
    this.#port?.onDrain();
  }

  onEnd(): void {
    if (this.#port === undefined) this.abort();
    else this.#port.onEnd();
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#stream.send(Kind.ACCEPT, [writeHeaders(writer.begin(), headers).end()]);
    const port = new LinkWebSocketPort(this.#stream, this.request.head.remoteAddress);
    this.#port = port;
    port.open(open);
  }

  override reject(status: number, body: string): void {
    this.#isRejecting = true;
    super.reject(status, body);
    this.#isRejecting = false;
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    const isOurs = this.#isRejecting && this.collected === undefined;
    writer.begin().u8(isOurs ? 1 : 0);
    this.#stream.finish(Kind.REJECT, [writeAnswerHead(writer, status, headers, reason).end(), body]);
  }

  override destroy(): void {
    this.#stream.end();
    this.abort();
  }
}
