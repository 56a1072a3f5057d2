import type { AnswerHead } from "../answer-head.ts";
import type { BodyError, HttpExchange, RequestHead } from "../host.ts";
import { CollectedExchange } from "./collected-exchange.ts";
import { CopiedRequest } from "./request.ts";

/** A request that somebody else has answered: what is written to it goes nowhere. */
export class ReplayedExchange extends CollectedExchange implements HttpExchange {
  readonly request: CopiedRequest;
  readonly #onAnswered: () => void;

  /** @param onAnswered - called once */
  constructor(head: RequestHead, onAnswered: () => void) {
    super();
    this.request = new CopiedRequest(head, this);
    this.#onAnswered = onAnswered;
  }

  get carrier(): { readonly isOpen: boolean } | undefined {
    return undefined;
  }

  answer(head: AnswerHead, body: string | Buffer): void {
    this.respond(200, head.headers(Buffer.byteLength(body)), body);
  }

  readBody(_limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void {
    done(undefined, Buffer.alloc(0));
  }

  protected override write(): void {
    this.#onAnswered();
  }

  override destroy(): void {
    if (this.ended) return;
    this.abort();
    this.#onAnswered();
  }
}
