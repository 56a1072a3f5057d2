import type { OutgoingHttpHeaders } from "node:http";
import { internals } from "@tidewire/engine";
import type { RequestHead } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadWriter } from "../link/writer.ts";
import { writeAnswerHead } from "./answer.ts";

const writer = new PayloadWriter();

/** A request that another node has forwarded. */
export class LinkHttpExchange extends internals.CopiedHttpExchange implements StreamHandlers {
  readonly #link: Link;
  readonly #stream: LinkStream;
  readonly #target: internals.ClusterTarget;

  constructor(head: RequestHead, link: Link, stream: LinkStream, target: internals.ClusterTarget) {
    super(head, target.maxPayload);
    this.#link = link;
    this.#stream = stream;
    this.#target = target;
  }

  override get carrier(): Link {
    return this.#link;
  }

  onMessage(kind: number, payload: Buffer): void {
    if (kind === Kind.BODY) {
      if (!this.deliverWhole(payload)) this.push(Buffer.from(payload), true);
    } else if (kind === Kind.BODY_TOO_LARGE) {
      this.exceed();
    } else if (kind === Kind.RELEASE) {
      this.#target.releasePoll(this.request.head.url);
    }
  }

  onEnd(): void {
    this.abort();
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason?: string,
  ): void {
    writer.begin().u8(this.#isLookedAt() ? 1 : 0);
    this.#stream.finish(Kind.RESPONSE, [writeAnswerHead(writer, status, headers, reason).end(), body]);
  }

  /** The answer of a session that is open here. */
  protected override writeAnswer(head: internals.AnswerHead, body: string | Buffer): void {
    writer.begin().u8(this.#target.readsHeads ? 1 : 0);
    this.#stream.finish(Kind.USUAL_RESPONSE, [writer.text(head.contentType).end(), body]);
  }

  /** Whether somebody may look at all headers of such requests. */
  #isLookedAt(): boolean {
    return this.#target.needsWholeHead(this.request.head.url);
  }

  override destroy(): void {
    this.#stream.end();
    this.abort();
  }
}
