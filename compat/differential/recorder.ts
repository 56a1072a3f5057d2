// Records one run of a scenario in lanes. The order within a lane counts, the order between lanes does not.
import { inspect } from "node:util";

/** Lines by lane. Ids are numbered in the order in which they appear; ports and dates are masked. */
export type Transcript = ReadonlyMap<string, readonly string[]>;

/** How long a scenario waits for a line, in milliseconds. */
const PATIENCE = 8_000;

interface Waiter {
  isThere: () => boolean;
  resolve: () => void;
}

/** Matches a line that contains the text, or matches the expression. */
export type Pattern = string | RegExp;

export class Recorder {
  readonly #lanes = new Map<string, string[]>();
  readonly #ids = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  readonly #masks: (readonly [RegExp, string])[] = [];
  readonly #ignored: Pattern[] = [];
  #notes = 0;
  #transcript: Transcript | undefined;

  note(lane: string, line: string): void {
    if (this.#transcript || this.#ignored.some((pattern) => matches(line, pattern))) return;
    const lines = this.#lanes.get(lane) ?? [];
    this.#lanes.set(lane, lines);
    lines.push(...line.split("\n"));
    this.#learnFrom(line);
    this.#notes++;
    for (const waiter of this.#waiters) {
      if (waiter.isThere()) waiter.resolve();
    }
  }

  /** Writes the id as its kind and number. */
  learn(kind: string, id: string): void {
    if (this.#ids.has(id)) return;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    this.#ids.set(id, `${kind}#${number}`);
  }

  /** Replaces what matches in all lines. */
  mask(pattern: RegExp, replacement: string): void {
    this.#masks.push([pattern, replacement]);
  }

  /** Leaves out matching lines, which depend on a race in the client. */
  ignore(pattern: Pattern): void {
    this.#ignored.push(pattern);
  }

  /** Resolves when the lane has this many matching lines; after a timeout, notes that they are late and resolves. */
  async saw(lane: string, pattern: Pattern, times: number = 1): Promise<void> {
    const isThere = (): boolean => {
      const lines = this.#lanes.get(lane) ?? [];
      return lines.filter((line) => matches(line, pattern)).length >= times;
    };
    if (isThere()) return;
    let timer: NodeJS.Timeout | undefined;
    const isLate = await new Promise<boolean>((resolve) => {
      const waiter = { isThere, resolve: () => settle(false) };
      const settle = (late: boolean): void => {
        this.#waiters.delete(waiter);
        resolve(late);
      };
      this.#waiters.add(waiter);
      timer = setTimeout(() => settle(true), PATIENCE);
    });
    clearTimeout(timer);
    if (isLate) this.note("late", `in ${lane}: ${String(pattern)}${times > 1 ? `, ${times} times` : ""}`);
  }

  /** Resolves when nothing was recorded for a while; counts turns of the event loop, too, in case it lags. */
  async quiet(): Promise<void> {
    if (this.#transcript) return;
    for (let unchanged = 0; unchanged < 2; unchanged++) {
      const before = this.#notes;
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      if (this.#notes !== before) unchanged = -1;
    }
  }

  /** Ends the recording, and returns the transcript. */
  close(): Transcript {
    this.#transcript ??= this.#inLanes();
    return this.#transcript;
  }

  /** Gives each session of the engine its own lane: a client can reconnect before its old session closes. */
  #inLanes(): Transcript {
    const lanes = new Map<string, string[]>();
    for (const name of [...this.#lanes.keys()].toSorted()) {
      for (const raw of this.#lanes.get(name)!) {
        const line = this.#written(raw);
        const session = name === "engine" ? /^sid#\d+/.exec(line)?.[0] : undefined;
        const lane = session ? `engine ${session}` : name;
        lanes.set(lane, [...(lanes.get(lane) ?? []), line]);
      }
    }
    return lanes;
  }

  /** Learns private ids, which are only on the wire. */
  #learnFrom(line: string): void {
    for (const [, id] of line.matchAll(/\\?"pid\\?":\\?"([^"\\]+)/g)) this.learn("pid", id!);
  }

  #written(line: string): string {
    let text = line.replaceAll(/(?<![\w-])[\w-]{20}(?![\w-])/g, (word) => this.#ids.get(word) ?? word);
    for (const [pattern, replacement] of this.#masks) text = text.replaceAll(pattern, replacement);
    return text;
  }
}

export function matches(line: string, pattern: Pattern): boolean {
  return typeof pattern === "string" ? line.includes(pattern) : pattern.test(line);
}

/** The text of a value in a transcript, on one line. */
export function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const options = {
    depth: 8,
    breakLength: Infinity,
    compact: true,
    maxArrayLength: 60,
    maxStringLength: 400,
  };
  return inspect(value, options).replaceAll("\n", "\\n");
}
