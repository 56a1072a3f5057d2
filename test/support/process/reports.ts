import type { ChildProcess } from "node:child_process";
import { Queue } from "../waiting/queue.ts";

/** What a child process reports over its channel, as `{ event, detail }`, by event. */
export class Reports {
  readonly #queues: Map<string, Queue<unknown>> = new Map();

  constructor(child: ChildProcess) {
    child.on("message", ({ event, detail }: { event: string; detail: unknown }) =>
      this.of(event).push(detail),
    );
  }

  /** All of one kind. */
  of(event: string): Queue<unknown> {
    return this.#queues.get(event) ?? this.later(event);
  }

  /** Those of one kind from now on. */
  later(event: string): Queue<unknown> {
    const queue = new Queue<unknown>(`the report ${event}`);
    this.#queues.set(event, queue);
    return queue;
  }
}
