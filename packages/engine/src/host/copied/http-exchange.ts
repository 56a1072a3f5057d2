import type { AnswerHead } from "../answer-head.ts";
import type { BodyError, HttpExchange, RequestHead } from "../host.ts";
import { CollectedExchange } from "./collected-exchange.ts";
import { CopiedRequest } from "./request.ts";

const NONE: Buffer[] = [];

/** A plain request whose body the host pushes in while it arrives. */
export abstract class CopiedHttpExchange extends CollectedExchange implements HttpExchange {
  readonly request: CopiedRequest;
  #chunks: Buffer[] = NONE;
  #size = 0;
  #complete = false;
  #tooLarge = false;
  readonly #maxBody: number;
  #reader: { limit: number; done: (error: BodyError | undefined, body: Buffer) => void } | undefined =
    undefined;

  constructor(head: RequestHead, maxBody: number) {
    super();
    this.request = new CopiedRequest(head, this);
    this.#maxBody = maxBody;
  }

  /** Overridden by the host that passes answers on to another process. */
  get carrier(): { readonly isOpen: boolean } | undefined {
    return undefined;
  }

  /** For the host: the next part of the body. The bytes must be a copy. */
  push(chunk: Buffer, last: boolean): void {
    if (this.ended || this.#tooLarge) return;
    this.#size += chunk.length;
    if (this.#size > (this.#reader?.limit ?? this.#maxBody)) {
      this.#tooLarge = true;
      this.#chunks = NONE;
    } else {
      if (this.#chunks === NONE) this.#chunks = [];
      this.#chunks.push(chunk);
      this.#complete = last;
    }
    this.#deliver();
  }

  /** For the host: the body is larger than the host takes. */
  protected exceed(): void {
    if (this.ended || this.#complete) return;
    this.#tooLarge = true;
    this.#chunks = NONE;
    this.#deliver();
  }

  /**
   * For the host: hands a body that came in one piece to its reader without a copy.
   *
   * @returns false if that is not possible: it must be copied and pushed
   */
  protected deliverWhole(body: Buffer): boolean {
    const reader = this.#reader;
    if (reader === undefined || this.ended || this.#size > 0 || this.#tooLarge) return false;
    if (body.length > reader.limit) return false;
    this.#complete = true;
    this.#reader = undefined;
    reader.done(undefined, body);
    return true;
  }

  answer(head: AnswerHead, body: string | Buffer): void {
    if (this.ended) return;
    if (this.collected !== undefined) {
      this.respond(200, head.headers(Buffer.byteLength(body)), body);
      return;
    }
    this.ended = true;
    this.writeAnswer(head, body);
    this.request.answered();
  }

  /** Writes the whole response. */
  protected writeAnswer(head: AnswerHead, body: string | Buffer): void {
    this.write(200, head.headers(Buffer.byteLength(body)), body);
  }

  override abort(): void {
    if (this.ended) return;
    super.abort();
    this.#finish("aborted");
  }

  readBody(limit: number, done: (error: BodyError | undefined, body: Buffer) => void): void {
    this.#reader = { limit, done };
    if (this.ended) this.#finish("aborted");
    else this.#deliver();
  }

  #deliver(): void {
    if (this.#tooLarge || (this.#reader !== undefined && this.#size > this.#reader.limit))
      this.#finish("too large");
    else if (this.#complete) this.#finish(undefined);
  }

  #finish(error: BodyError | undefined): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 ? only! : Buffer.concat(this.#chunks);
    this.#chunks = NONE;
    reader.done(error, body);
  }
}
