import { internals } from "@tidewire/engine";
import { AsyncResource } from "node:async_hooks";
import { types } from "node:util";
import { createError } from "../errors.ts";
import { areFaked } from "../timers.ts";
import { Alarm, Alarms } from "./alarms.ts";
import { AuthError } from "./errors.ts";

/** When credentials end: a date, or ms since 1970; Infinity for never. */
export type ExpiryDate = Date | number;

/** What happens before the credentials of a socket end. */
export interface ExpiryOptions<Socket> {
  /**
   * How long before the date the client receives `auth:expiring` and {@link refresh} is called, in ms; 0 for never. If the date is
   * near, this happens once half of the time is over.
   * @default 60000
   */
  warn?: number;
  /**
   * Gets the client's new credentials, and returns the new date. If it returns none, rejects, or takes too long, the date stays.
   * The error it rejects with becomes the `cause` of that of `disconnect`. A date that is set meanwhile wins.
   *
   * @example
   * async refresh(socket) {
   *   const token = await socket.timeout(5000).emitWithAck("auth:refresh");
   *   await socket.revalidate({ token });
   * }
   * @default none
   */
  refresh?(
    socket: Socket,
  ): PromiseLike<ExpiryDate | null | undefined | void> | ExpiryDate | null | undefined | void;
}

/** What the client receives as `auth:expiring`. */
export interface AuthExpiring {
  /** in ms since 1970, by the clock of the server */
  readonly expiresAt: number;
  /** in ms from now, for clients with another clock */
  readonly expiresIn: number;
}

/** A socket, as its expiry uses it. */
export interface ExpiringSocket {
  readonly connected: boolean;
  _notify(event: string, argument: object): void;
  _endAuth(error: AuthError): void;
}

const DEFAULT_WARN = 60_000;

const rules: internals.OptionRules = {
  warn: internals.optionRules.duration,
  refresh: {
    expected: "a function",
    read: (given) => (typeof given === "function" ? given : internals.optionRules.INVALID),
  },
};

/** The sockets of a server whose credentials end at a date. It exists once the application has set one. */
export class Expiries {
  readonly #alarms: Alarms;
  readonly #bySocket: Map<ExpiringSocket, Expiry> = new Map();

  constructor(server: { readonly _clock: Pick<internals.Clock, "after"> }) {
    // The clock is that of the engine, which the server may be given later.
    this.#alarms = new Alarms((run, ms) => {
      if (areFaked() && globalThis.setTimeout !== undefined) globalThis.setTimeout(run, ms);
      else server._clock.after(run, ms);
    });
  }

  /**
   * Replaces an earlier date. The time of a socket that has not joined is only looked at when it does.
   *
   * @throws TypeError (`INVALID_DATE`) or OptionError
   */
  set<Socket extends ExpiringSocket>(
    socket: Socket,
    date: ExpiryDate,
    options: ExpiryOptions<Socket> = {},
  ): void {
    const at = timeOf(date);
    internals.optionRules.warnOfUnknownOptions(options, rules);
    const read = internals.optionRules.readOptions(options, rules) as ExpiryOptions<ExpiringSocket>;
    this.forget(socket);
    if (at === Infinity) return;
    const expiry = new Expiry(this, this.#alarms, socket, at, read);
    this.#bySocket.set(socket, expiry);
    if (socket.connected) expiry.start();
  }

  /** Called when a socket joins. */
  joined(socket: ExpiringSocket): void {
    this.#bySocket.get(socket)?.start();
  }

  /** Called when a socket has left, or will never join. */
  forget(socket: ExpiringSocket): void {
    const expiry = this.#bySocket.get(socket);
    if (expiry === undefined) return;
    this.#bySocket.delete(socket);
    this.#alarms.cancel(expiry);
  }

  /** When the credentials of a socket end, in ms since 1970; undefined if they do not. */
  timeOf(socket: ExpiringSocket): number | undefined {
    return this.#bySocket.get(socket)?.date;
  }

  /** Returns an error if the credentials of a socket have ended before it has joined. */
  refusalOf(socket: ExpiringSocket): AuthError | undefined {
    return isOver(this.timeOf(socket)) ? new AuthError("AUTH_EXPIRED") : undefined;
  }

  /** @internal Whether this is still the expiry of its socket. */
  isCurrent(expiry: Expiry): boolean {
    return this.#bySocket.get(expiry.socket) === expiry;
  }
}

/** Whether this time is reached, in ms since 1970. */
export function isOver(time: number | undefined): boolean {
  return time !== undefined && time <= Date.now();
}

/** The end of one socket's credentials: an alarm for the warning, then one for the end. */
class Expiry extends Alarm {
  readonly socket: ExpiringSocket;
  /** in ms since 1970 */
  readonly date: number;
  readonly #expiries: Expiries;
  readonly #alarms: Alarms;
  readonly #options: ExpiryOptions<ExpiringSocket>;
  /** Listeners and `refresh` run in the context in which the date was set. */
  readonly #context: AsyncResource = new AsyncResource("TIDEWIRE");
  #isWarned = false;
  #refreshError: unknown = undefined;

  constructor(
    expiries: Expiries,
    alarms: Alarms,
    socket: ExpiringSocket,
    date: number,
    options: ExpiryOptions<ExpiringSocket>,
  ) {
    super();
    this.#expiries = expiries;
    this.#alarms = alarms;
    this.socket = socket;
    this.date = date;
    this.#options = options;
  }

  start(): void {
    const { warn = DEFAULT_WARN } = this.#options;
    const now = Date.now();
    this.#isWarned = warn === 0 || this.date <= now;
    // Credentials that live shorter than that must not be refreshed all the time.
    const warnAt = Math.max(this.date - warn, now + Math.ceil((this.date - now) / 2));
    this.#alarms.set(this, this.#isWarned ? this.date : warnAt);
  }

  /** @internal */
  onDue(): void {
    const isEnd = this.#isWarned || isOver(this.date);
    this.#context.runInAsyncScope(() => (isEnd ? this.#end() : this.#warn()));
  }

  #end(): void {
    this.socket._endAuth(new AuthError("AUTH_EXPIRED", this.#refreshError));
  }

  #warn(): void {
    const { date, socket } = this;
    this.#isWarned = true;
    this.#alarms.set(this, date);
    const warning: AuthExpiring = { expiresAt: date, expiresIn: date - Date.now() };
    socket._notify("auth:expiring", warning);
    // A listener of outgoing events may have disconnected the socket.
    if (this.#options.refresh !== undefined && this.#expiries.isCurrent(this)) void this.#refresh();
  }

  async #refresh(): Promise<void> {
    const { socket } = this;
    try {
      const date = await this.#options.refresh?.(socket);
      if (date !== undefined && date !== null && this.#expiries.isCurrent(this)) {
        this.#expiries.set(socket, date, this.#options);
      }
    } catch (error) {
      this.#refreshError = error;
    }
  }
}

/** @throws TypeError (`INVALID_DATE`) */
function timeOf(date: ExpiryDate): number {
  const time = types.isDate(date) ? date.getTime() : date;
  if (typeof time !== "number" || Number.isNaN(time) || time === -Infinity) {
    throw createError("INVALID_DATE", String(date));
  }
  return time;
}
