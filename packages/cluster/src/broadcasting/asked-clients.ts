import type { NodeId } from "../node-id.ts";

/** Makes the answers of clients to a question void. */
type Forget = () => void;

/** The broadcasts of other nodes whose receivers here have not all answered. */
export class AskedClients {
  readonly #forgets: Map<NodeId, Map<number, Forget>> = new Map();

  /**
   * @param asker - the node that waits for the answers
   * @param question - the id that it has given its question
   */
  add(asker: NodeId, question: number, forget: Forget): void {
    let questions = this.#forgets.get(asker);
    if (questions === undefined) this.#forgets.set(asker, (questions = new Map()));
    questions.set(question, forget);
  }

  /** All have answered. */
  delete(asker: NodeId, question: number): void {
    const questions = this.#forgets.get(asker);
    questions?.delete(question);
    if (questions?.size === 0) this.#forgets.delete(asker);
  }

  /** The asker does not wait any more. */
  forget(asker: NodeId, question: number): void {
    this.#forgets.get(asker)?.get(question)?.();
    this.delete(asker, question);
  }

  /** The asker has left. */
  forgetAll(asker: NodeId): void {
    for (const forget of this.#forgets.get(asker)?.values() ?? []) forget();
    this.#forgets.delete(asker);
  }
}
