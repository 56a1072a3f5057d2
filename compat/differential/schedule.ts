// Runs several scenarios at a time, in the order of the tests, ahead of the test that awaits them.
import type { Transcript } from "./recorder.ts";
import type { Scenario } from "./scenario.ts";
import type { OurHost, Target } from "./targets.ts";

/** How many scenarios run at a time. */
const AHEAD = 12;

export interface Pair {
  official: Transcript;
  here: Transcript;
}

interface Task {
  scenario: Scenario;
  host: OurHost;
  result?: Promise<Pair>;
}

export class Schedule {
  readonly #tasks: Task[] = [];
  /** The runs against the official server, once for both hosts. */
  readonly #official = new Map<Scenario, Promise<Transcript>>();

  /** Adds a run at the end; returns a function that resolves with its result. */
  add(scenario: Scenario, host: OurHost): () => Promise<Pair> {
    const task: Task = { scenario, host };
    const index = this.#tasks.push(task) - 1;
    return () => this.#result(task, index);
  }

  async #result(task: Task, index: number): Promise<Pair> {
    if (task.scenario.alone) {
      await Promise.allSettled(this.#tasks.map(async (other) => other.result));
      return (task.result ??= this.#start(task));
    }
    for (const next of this.#tasks.slice(index, index + AHEAD)) {
      if (next.scenario.alone) break;
      next.result ??= this.#start(next);
      // no test may ever await it, with --grep for example
      next.result.catch(() => {});
    }
    return task.result!;
  }

  async #start({ scenario, host }: Task): Promise<Pair> {
    const known = this.#official.get(scenario) ?? play(scenario, "official");
    this.#official.set(scenario, known);
    if (scenario.alone) await known;
    const [official, here] = await Promise.all([known, play(scenario, host)]);
    return { official, here };
  }
}

async function play(scenario: Scenario, target: Target): Promise<Transcript> {
  try {
    return await scenario.play(target);
  } catch (error) {
    throw new Error(`${scenario.name}, on ${target}: ${(error as Error).message}`, { cause: error });
  }
}
