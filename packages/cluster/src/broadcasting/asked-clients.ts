import { internals } from "@tidewire/engine";
import type { NodeId } from "../node-id.ts";

const { clearTimeout, setTimeout } = internals.timers;

/** The longest delay of a timer, in ms. */
const LONGEST = 2 ** 31 - 1;

/** A broadcast whose receivers here have not all answered. */
interface Asked {
  /** Makes their answers void. */
  forget(): void;
  readonly timer: NodeJS.Timeout;
}

/** The broadcasts of other nodes whose receivers here have not all answered. */
export class AskedClients {
  readonly #asked: Map<NodeId, Map<number, Asked>> = new Map();

  /**
   * @param asker - the node that waits for the answers
   * @param question - the id that it has given its question
   * @param forget - makes their answers void
   * @param ms - how long it waits, in ms: what it says when it gives up may be lost
   */
  add(asker: NodeId, question: number, forget: () => void, ms: number): void {
    let questions = this.#asked.get(asker);
    if (questions === undefined) this.#asked.set(asker, (questions = new Map()));
    const timer = setTimeout(() => this.forget(asker, question), Math.min(ms, LONGEST)).unref();
    questions.set(question, { forget, timer });
  }

  /** All have answered. */
  delete(asker: NodeId, question: number): void {
    const questions = this.#asked.get(asker);
    clearTimeout(questions?.get(question)?.timer);
    questions?.delete(question);
    if (questions?.size === 0) this.#asked.delete(asker);
  }

  /** The asker does not wait any more. */
  forget(asker: NodeId, question: number): void {
    const asked = this.#asked.get(asker)?.get(question);
    this.delete(asker, question);
    asked?.forget();
  }

  /** The asker has left. */
  forgetAll(asker: NodeId): void {
    for (const question of this.#asked.get(asker)?.keys() ?? []) this.forget(asker, question);
  }
}
