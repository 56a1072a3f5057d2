import { AsyncResource } from "node:async_hooks";
import type { EventLoop } from "./event-loop.ts";

/** How long one connection may keep the loop busy in a turn before the others have theirs, in ms. */
const BUDGET = 10;

/** How long a backlog is worked on before the next one, in ms. */
const SLICE = 2;

/** How many messages one connection hands over in a row before the time is looked at, and between two looks. */
const STRIDE = 8;

/** How long a row lasts before the end of the turn is waited for, in ms. */
const LONG = 2;

/** What a connection has received and nobody has handled yet. */
export interface Backlog {
  /**
   * Handles pieces of it until the slice is over.
   *
   * @returns whether something is left
   */
  work(isOver: () => boolean): boolean;
  /** Nothing is left, and what comes now need not wait. */
  finish(): void;
}

interface Waiting {
  readonly backlog: Backlog;
  /** The async context in which it was received. */
  readonly context: AsyncResource;
}

/**
 * Shares the turns of the event loop among connections. A client that sends a great many messages at once gets its budget; what
 * is left waits, and is worked off in slices between which the loop serves everybody else.
 */
export class Turns {
  readonly #loop: EventLoop;
  /** In the order in which they have their slices. */
  readonly #backlogs: Map<object, Waiting> = new Map();
  /** The connection that handed over the last message. */
  #current: object | undefined = undefined;
  #inARow = 0;
  /** When the row was looked at first; once it is long, when it was found to be. */
  #since = 0;
  /** Whether the row has its budget from here on. */
  #isLong = false;
  /** Whether the row under way ends with the turn of the loop. */
  #endsWithTurn = false;
  #end = 0;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Whether what this connection has received now must wait: it has had its turn, or earlier messages of it wait. */
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
      // Either its messages take long, or they came in several turns: the end of this one will tell.
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

  /** The connection is gone. */
  forget(connection: object): void {
    if (this.#current === connection) this.#current = undefined;
  }

  /** The backlog of a connection, where it has one. */
  backlogOf(connection: object): Backlog | undefined {
    return this.#backlogs.get(connection)?.backlog;
  }

  /** Adds the backlog of a connection; it is worked off, bit by bit, from the next turn on. */
  add(connection: object, backlog: Backlog): void {
    this.#backlogs.set(connection, { backlog, context: new AsyncResource("TIDEWIRE") });
    if (this.#backlogs.size === 1) this.#loop.setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const end = this.#loop.now() + BUDGET;
    try {
      // A walk over a map goes on to what is added meanwhile, so that each backlog has a slice before any has its next.
      for (const [connection, waiting] of this.#backlogs) {
        this.#end = this.#loop.now() + SLICE;
        waiting.context.runInAsyncScope(() => this.#work(connection, waiting));
        if (this.#loop.now() >= end) break;
      }
    } finally {
      if (this.#backlogs.size > 0) this.#loop.setImmediate(this.#run);
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
