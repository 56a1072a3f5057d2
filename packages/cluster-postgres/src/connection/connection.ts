import { internals } from "@tidewire/cluster";
import { PostgresError } from "../errors.ts";
import type { Attempt, Connect, OpenClient, PostgresResult } from "./client.ts";
import { BROKEN, PATIENCE, Session } from "./session.ts";

/** How long to wait before the first attempt to connect again, and at most, in ms. */
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 5000;

/** Who uses a connection. */
export interface ConnectionUser {
  /** It is there, answers, and listens to everything. */
  onUp(): void;
  /** It is not. Called once, until it is. */
  onDown(error: Error): void;
}

/** Who listens to a channel. */
interface Listener {
  readonly onNotification: (payload: string) => void;
  /** What to call once it is listened to. */
  readonly waiting: (() => void)[];
}

/** One connection for all its users, which comes back by itself, and listens again to what it has listened to. */
export class Connection {
  readonly #connect: Connect;
  readonly #users: Set<ConnectionUser> = new Set();
  readonly #listeners: Map<string, Listener> = new Map();
  /** The last session, or the attempt to begin one. */
  #session: Promise<Session> | undefined = undefined;
  /** The session that is there. */
  #current: Session | undefined = undefined;
  /** The session that begins. */
  #beginning: Session | undefined = undefined;
  /** Gives up an attempt to connect. */
  #giveUp: (() => void) | undefined = undefined;
  /** Why there is none. */
  #down: Error | undefined = undefined;
  /** Of which session channels are being listened to. */
  #listening: Session | undefined = undefined;
  #isRunning = false;
  #failures = 0;
  #endPause: (() => void) | undefined = undefined;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  get isDown(): boolean {
    return this.#down !== undefined;
  }

  /** It lasts as long as it has users. */
  use(user: ConnectionUser): void {
    this.#users.add(user);
    if (!this.#isRunning) void this.#run();
    else if (this.#down !== undefined) user.onDown(this.#down);
    else if (this.#current !== undefined) user.onUp();
  }

  /** Queries that wait are answered first, if there is a connection. Fulfilled within some seconds; never rejected. */
  async leave(user: ConnectionUser): Promise<void> {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    this.#down = undefined;
    this.#endPause?.();
    this.#giveUp?.();
    await (this.#current ?? this.#beginning)?.close();
  }

  /** Waits for an attempt to connect that has begun; otherwise it is rejected without a connection. */
  async query(text: string, values?: unknown[]): Promise<PostgresResult> {
    if (this.#session === undefined) throw new PostgresError("ENDED");
    const session = await this.#session;
    return session.query(text, values);
  }

  /** Fulfilled once it is listened to, or no longer wanted; never rejected. */
  listen(channel: string, onNotification: (payload: string) => void): Promise<void> {
    this.unlisten(channel);
    return new Promise((resolve) => {
      this.#listeners.set(channel, { onNotification, waiting: [resolve] });
      this.#listenAgain();
    });
  }

  unlisten(channel: string): void {
    wake(this.#listeners.get(channel));
    this.#listeners.delete(channel);
    this.#listenAgain();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#users.size > 0) {
      this.#session = this.#begin();
      const error = await this.#live(this.#session);
      if (error === undefined || this.#users.size === 0) continue;
      this.#onDown(error);
      await this.#pause();
    }
    this.#isRunning = false;
  }

  async #begin(): Promise<Session> {
    const open = await this.#open(this.#connect());
    const session: Session = new Session(open, {
      onNotification: (channel, payload) => this.#listeners.get(channel)?.onNotification(payload),
      onLate: () => this.#onDown(new PostgresError("NO_ANSWER", String(PATIENCE))),
      onAnswer: () => {
        if (this.#current === session) this.#onUp(session);
      },
    });
    this.#beginning = session;
    try {
      // The statements of this package count on it.
      await session.query("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED");
      await this.#listenToAll(session);
      return session;
    } catch (error) {
      void session.close();
      throw error;
    } finally {
      this.#beginning = undefined;
    }
  }

  /** Gives up when it takes too long, or nobody uses the connection any more. */
  async #open(attempt: Attempt): Promise<OpenClient> {
    const given = new Promise<never>((_, reject) => {
      this.#giveUp = () => reject(new PostgresError("ENDED"));
    });
    try {
      return await internals.answerWithin(Promise.race([attempt.opened, given]), BROKEN * PATIENCE);
    } catch (error) {
      attempt.abandon();
      throw error;
    } finally {
      this.#giveUp = undefined;
    }
  }

  /** Lasts as long as the session. Returns why it has ended, or did not begin, unless it was closed. */
  async #live(beginning: Promise<Session>): Promise<Error | undefined> {
    const deadline = new internals.Deadline(PATIENCE, () =>
      this.#onDown(new PostgresError("NO_ANSWER", String(PATIENCE))),
    );
    try {
      const session = await beginning;
      deadline.end();
      if (this.#users.size === 0) await session.close();
      else this.#onUp(session);
      return await session.ended;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      deadline.end();
      this.#current = undefined;
    }
  }

  #onUp(session: Session): void {
    this.#current = session;
    this.#down = undefined;
    this.#failures = 0;
    // Some may have come since.
    this.#listenAgain();
    for (const user of this.#users) user.onUp();
  }

  #onDown(error: Error): void {
    if (this.#down !== undefined || this.#users.size === 0) return;
    this.#down = error;
    for (const user of this.#users) user.onDown(error);
  }

  #pause(): Promise<void> {
    const ms = Math.min(SHORTEST_PAUSE * 2 ** this.#failures++, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listenAgain(): void {
    // What breaks the session is noticed where it ends.
    if (this.#current !== undefined) this.#listenToAll(this.#current).catch(() => {});
  }

  /** Channels that come meanwhile are listened to together. */
  async #listenToAll(session: Session): Promise<void> {
    if (this.#listening === session) return;
    this.#listening = session;
    try {
      for (;;) {
        const listening = session.listen(this.#listeners.keys());
        if (listening === undefined) break;
        await listening;
      }
      for (const listener of this.#listeners.values()) wake(listener);
    } finally {
      if (this.#listening === session) this.#listening = undefined;
    }
  }
}

function wake(listener: Listener | undefined): void {
  for (const resolve of listener?.waiting.splice(0) ?? []) resolve();
}
