import { internals } from "@tidewire/engine";
import type { EventLoop } from "@tidewire/engine";

const { clearTimeout, setImmediate, setTimeout } = internals.timers;

/** In how many parts the time passes. While the process is stopped, at most one of them does. */
const PARTS = 4;

/** Turns of the loop in which what came while the process was stopped is read. */
const TURNS = 3;

/**
 * The end of the time that another side has to answer. It does not pass while this process is stopped or its event loop is blocked: the
 * question may not have left yet. Before it ends, the answers that wait in the kernel are read.
 */
export class Deadline {
  readonly #part: number;
  readonly #onMissed: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isOver = false;

  /** It does not keep the process alive. */
  constructor(ms: number, onMissed: () => void) {
    this.#part = ms / PARTS;
    this.#onMissed = onMissed;
    this.#wait(PARTS);
  }

  /** The answer has come, or nobody waits for it any more. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #wait(parts: number): void {
    this.#timer = setTimeout(() => {
      if (parts > 1) this.#wait(parts - 1);
      else afterReading(() => this.#miss());
    }, this.#part).unref();
  }

  #miss(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onMissed();
  }
}

/** Calls back once what waits in the kernel has been read: a timer of a process that was stopped fires before that. */
export function afterReading(
  run: () => void,
  loop: Pick<EventLoop, "setImmediate"> = { setImmediate },
  turns: number = TURNS,
): void {
  if (turns === 0) run();
  else loop.setImmediate(() => afterReading(run, loop, turns - 1));
}

/** Settles as an answer does. Rejects if it does not come in time. */
export async function answerWithin<T>(answer: Promise<T>, ms: number): Promise<T> {
  let deadline: Deadline | undefined;
  const missed = new Promise<never>((_, reject) => {
    deadline = new Deadline(ms, () => reject(new Error(`no answer for ${ms} ms`)));
  });
  try {
    return await Promise.race([answer, missed]);
  } finally {
    deadline?.end();
  }
}
