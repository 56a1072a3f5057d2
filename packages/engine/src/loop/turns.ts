import { AsyncResource } from "node:async_hooks";
import type { EventLoop } from "./event-loop.ts";

/** How long one connection may keep the loop busy in a turn before the others have theirs, in ms. */
const BUDGET = 10;

/** How long a backlog is worked on before the next one, in ms. */
const SLICE = 2;

/** How many messages of one connection in a row are handled between two looks at the clock. */
const STRIDE = 8;

/** How long a row lasts before the end of the turn is awaited, in ms. */
const LONG = 2;

/** What a connection has received and has not been handled yet. */
export interface Backlog {
  /**
   * Handles parts of it until the slice is over.
   *
   * @returns whether anything is left
   */
  work(isOver: () => boolean): boolean;
  /** Called when nothing is left. What comes now does not wait. */
  finish(): void;
  /** Adds an error, or the close of the connection, which is handled at the end. */
  addEnd(run: () => void): void;
}

interface Waiting {
  readonly backlog: Backlog;
  /** The async context in which it was received. */
  readonly context: AsyncResource;
}

/**
 * Shares the turns of the event loop among connections. A client that sends a great many messages at once gets its budget. The
 * rest waits and is handled in slices, between which the loop serves everybody else.
 */
export class Turns {
  readonly #loop: EventLoop;
  /** In the order of their slices. */
  readonly #backlogs: Map<object, Waiting> = new Map();
  /** The connection of the last message. */
  #current: object | undefined = undefined;
  #inARow = 0;
  /** When the clock was first read in this row; in a long row, when it was found to be long. */
  #since = 0;
  /** Whether the row has its budget from `#since` on. */
  #isLong = false;
  /** Whether the backlogs have a turn coming. */
  #isAsked = false;
  /** Whether the current row ends with the turn of the loop. */
  #endsWithTurn = false;
  #end = 0;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Whether what this connection has just received must wait: its budget is used up, or earlier messages of it wait. */
  isOver(connection: object): boolean {
    if (this.#backlogs.size > 0 && this.#backlogs.has(connection)) return true;
    if (connection !== this.#current) {
      this.#current = connection;
      this.#inARow = 0;
      this.#isLong = false;
      return false;
    }
    return ++this.#inARow % STRIDE === 0 && this.#isPastBudget();
  }

  #isPastBudget(): boolean {
    const now = this.#loop.now();
    if (this.#isLong) return now - this.#since > BUDGET;
    if (this.#inARow === STRIDE) {
      this.#since = now;
    } else if (now - this.#since > LONG) {
      // Either its messages take long, or they came in several turns: the end of this one decides.
      this.#since = now;
      this.#isLong = true;
      if (!this.#endsWithTurn) this.#loop.setImmediate(this.#endRow);
      this.#endsWithTurn = true;
    }
    return false;
  }

  readonly #endRow = (): void => {
    this.#endsWithTurn = false;
    this.#current = undefined;
  };

  /** Called when the connection is closed. */
  forget(connection: object): void {
    if (this.#current === connection) this.#current = undefined;
  }

  /** Returns the backlog of a connection, if it has one. */
  backlogOf(connection: object): Backlog | undefined {
    return this.#backlogs.get(connection)?.backlog;
  }

  /** Adds the backlog of a connection. It is handled in slices from the next turn on. */
  add(connection: object, backlog: Backlog): void {
    this.#backlogs.set(connection, { backlog, context: new AsyncResource("TIDEWIRE") });
    this.#ask();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#loop.setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#isAsked = false;
    const end = this.#loop.now() + BUDGET;
    try {
      // Iteration over a map includes what is added meanwhile, so each backlog has a slice before any has its next one.
      for (const [connection, waiting] of this.#backlogs) {
        this.#end = this.#loop.now() + SLICE;
        waiting.context.runInAsyncScope(() => this.#work(connection, waiting));
        if (this.#loop.now() >= end) break;
      }
    } finally {
      if (this.#backlogs.size > 0) this.#ask();
    }
  };

  #work(connection: object, waiting: Waiting): void {
    const { backlog } = waiting;
    const isLeft = backlog.work(this.#isSliceOver);
    this.#backlogs.delete(connection);
    if (isLeft) this.#backlogs.set(connection, waiting);
    else backlog.finish();
  }

  readonly #isSliceOver = (): boolean => this.#loop.now() >= this.#end;
}
