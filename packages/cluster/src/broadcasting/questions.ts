import type { PayloadReader } from "../link/reader.ts";
import type { NodeId } from "../node-id.ts";

/** A question that other nodes have been asked. */
export interface Question {
  /** A node has replied: {@link Cast.ANSWER} or one of the kinds after it. Returns whether nothing is missing any more. */
  onReply(from: NodeId, kind: number, reader: PayloadReader): boolean;
  /** A node will not answer. Returns whether nothing is missing any more. */
  onLeave(node: NodeId): boolean;
  /** Time has run out. */
  onTimeout(): void;
}

interface Pending {
  readonly question: Question;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The questions of this node that have not been answered by all. */
export class Questions {
  readonly #pending: Map<number, Pending> = new Map();
  #latest = 0;

  /**
   * @param timeout - in ms
   * @returns the id of the question, with which it is answered
   */
  add(question: Question, timeout: number): number {
    const id = (this.#latest = (this.#latest + 1) >>> 0);
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      question.onTimeout();
    }, timeout);
    this.#pending.set(id, { question, timer });
    return id;
  }

  onReply(id: number, from: NodeId, kind: number, reader: PayloadReader): void {
    const pending = this.#pending.get(id);
    if (pending?.question.onReply(from, kind, reader) === true) this.#end(id, pending);
  }

  onLeave(node: NodeId): void {
    for (const [id, pending] of this.#pending) {
      if (pending.question.onLeave(node)) this.#end(id, pending);
    }
  }

  #end(id: number, { timer }: Pending): void {
    clearTimeout(timer);
    this.#pending.delete(id);
  }
}
