/** How long a test waits for something that must happen, in milliseconds; on CI it fails only if that never happens. */
export const PATIENCE: number = process.env["CI"] === undefined ? 15_000 : 60_000;

/** Rejects with a message that says what was awaited; the runner's timeout would not. */
export async function within<T>(
  promise: PromiseLike<T>,
  what: string,
  patience: number = PATIENCE,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patience} ms in vain for ${what}`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A queue of things that arrive asynchronously and are taken one by one. */
export class Queue<T> {
  readonly #what: string;
  readonly #items: T[] = [];
  readonly #takers: { resolve: (item: T) => void; reject: (error: Error) => void }[] = [];
  #end: Error | undefined;

  constructor(what: string) {
    this.#what = what;
  }

  /** What has arrived and has not been taken. */
  get pending(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#items.push(item);
    } else {
      taker.resolve(item);
    }
  }

  /** Rejects all pending takers: nothing more arrives. */
  end(error: Error): void {
    this.#end ??= error;
    for (const taker of this.#takers.splice(0)) {
      taker.reject(error);
    }
  }

  next(patience: number = PATIENCE): Promise<T> {
    if (this.#items.length > 0) {
      return Promise.resolve(this.#items.shift() as T);
    }
    if (this.#end !== undefined) {
      return Promise.reject(this.#end);
    }
    const taken = new Promise<T>((resolve, reject) => this.#takers.push({ resolve, reject }));
    return within(taken, this.#what, patience);
  }

  async take(count: number): Promise<T[]> {
    const items: T[] = [];
    while (items.length < count) {
      items.push(await this.next());
    }
    return items;
  }
}
