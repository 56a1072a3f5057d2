import { ClusterError } from "../errors.ts";
import type { PayloadReader } from "../link/reader.ts";
import type { NodeId } from "../node-id.ts";
import { Status } from "./kinds.ts";
import type { Question } from "./questions.ts";

/** A question to which each node has one answer. */
export class Survey<T> implements Question {
  readonly #missing: Set<NodeId>;
  readonly #answers: T[] = [];
  readonly #read: (reader: PayloadReader) => T;
  readonly #done: (error: Error | null, answers: T[]) => void;

  /**
   * @param nodes - who is asked, at least one node
   * @param read - reads an answer
   * @param done - called once, with the answers that there are; an error says that some are missing
   */
  constructor(
    nodes: Iterable<NodeId>,
    read: (reader: PayloadReader) => T,
    done: (error: Error | null, answers: T[]) => void,
  ) {
    this.#missing = new Set(nodes);
    this.#read = read;
    this.#done = done;
  }

  onReply(from: NodeId, _kind: number, reader: PayloadReader): boolean {
    if (!this.#missing.has(from)) return false;
    const status = reader.u8();
    if (status === Status.FAILED) {
      const error = new ClusterError("ANSWER_FAILED", `${from} could not answer: ${reader.text()}`);
      this.#done(error, this.#answers);
      return true;
    }
    if (status === Status.ANSWERED) this.#answers.push(this.#read(reader));
    return this.onLeave(from);
  }

  onLeave(node: NodeId): boolean {
    if (!this.#missing.delete(node) || this.#missing.size > 0) return false;
    this.#done(null, this.#answers);
    return true;
  }

  onTimeout(): void {
    this.#done(new ClusterError("ANSWERS_MISSING", String(this.#missing.size)), this.#answers);
  }
}
