import type { Checked, Contract, EventChecker, InvalidIssue } from "@tidewire/contract";
import { internals } from "@tidewire/engine";
import type { Packet } from "@tidewire/parser";
import type { AckCallback } from "./acks.ts";
import type { Untyped } from "./typed-events.ts";

/** A contract of any events. */
export type AnyContract = Contract<Untyped, Untyped, Untyped, Untyped, Untyped>;

/** An event that does not match the contract: what the event `invalid_event` of the server reports. */
export interface InvalidEvent<Socket = unknown> {
  readonly event: string;
  readonly issues: readonly InvalidIssue[];
  /** The sender, unless it is another server. */
  readonly socket: Socket | undefined;
}

/** A socket whose events are checked. */
export interface CheckedSocket {
  readonly connected: boolean;
  ack(id: number): AckCallback;
  /** Sends the event `invalid`. */
  _sendInvalid(report: Omit<InvalidEvent, "socket">): void;
  onevent(packet: Packet): void;
}

/** What the checks call. */
export interface CheckHandlers<Socket> {
  onInvalid(report: InvalidEvent<Socket>): void;
  /** Called with what a listener or a schema throws after an asynchronous check. */
  onError(error: unknown, event: string, socket: Socket | undefined): void;
}

/** How long a socket is kept after its client has left, for schemas that have not answered yet, in ms. */
const LEAVE_TIMEOUT = 5000;

const INVALID = "INVALID_EVENT";
const MESSAGE = "The event does not match the contract";

/** Checks the events of clients before anything else sees them. */
export class CheckedEvents<Socket extends CheckedSocket> {
  readonly #checker: EventChecker;
  readonly #handlers: CheckHandlers<Socket>;
  readonly #clock: () => internals.Clock;
  /** The last event of each socket whose asynchronous schemas have not answered yet. */
  readonly #pending: Map<Socket, Promise<void>> = new Map();
  /** Sockets that leave their namespace after such events, and what comes next. */
  readonly #leaving: Map<Socket, () => void> = new Map();

  constructor({ fromClients }: AnyContract, handlers: CheckHandlers<Socket>, clock: () => internals.Clock) {
    this.#checker = fromClients;
    this.#handlers = handlers;
    this.#clock = clock;
  }

  receive(socket: Socket, packet: Packet): void {
    const [name, ...args] = (packet.data ?? []) as [unknown, ...unknown[]];
    const event = String(name);
    const hasAck = packet.id !== undefined && packet.id !== null;
    const checked = this.#checker.check(event, args, hasAck);
    const previous = this.#pending.get(socket);
    if (previous === undefined && !(checked instanceof Promise)) {
      this.#passOn(socket, packet, event, checked);
    } else {
      // Also a schema that throws waits for the events before.
      const waited = Promise.allSettled([checked, previous]).then(([outcome]) => {
        if (outcome.status === "rejected") throw outcome.reason;
        return outcome.value;
      });
      this.#passOnLater(socket, packet, event, waited);
    }
  }

  /**
   * Waits for the events that the sockets have received, because their client has left.
   *
   * @param done - called once all are handled, or after a while
   * @returns false if there is nothing to wait for: then it is not called
   */
  finish(sockets: readonly Socket[], done: () => void): boolean {
    const pending = sockets.map((socket) => this.#pending.get(socket)).filter((each) => each !== undefined);
    if (pending.length === 0) return false;
    void this.#finish(pending, done);
    return true;
  }

  async #finish(pending: readonly Promise<void>[], done: () => void): Promise<void> {
    const clock = this.#clock();
    const timeout = new internals.Timeout(done);
    clock.schedule(timeout, LEAVE_TIMEOUT);
    await Promise.all(pending);
    if (!timeout.isScheduled) return;
    clock.cancel(timeout);
    done();
  }

  /** The same for one socket whose client leaves the namespace, and may join it again meanwhile. */
  leave(socket: Socket, done: () => void): boolean {
    if (this.#leaving.has(socket)) return true;
    const isLater = this.finish([socket], () => {
      const rejoin = this.#leaving.get(socket);
      this.#leaving.delete(socket);
      done();
      rejoin?.();
    });
    if (isLater) this.#leaving.set(socket, ignore);
    return isLater;
  }

  /** Has the client of a socket that is leaving join again afterwards. Returns false if it is not leaving. */
  rejoin(socket: Socket, join: () => void): boolean {
    if (!this.#leaving.has(socket)) return false;
    this.#leaving.set(socket, join);
    return true;
  }

  /** Keeps the order of events. */
  #passOnLater(socket: Socket, packet: Packet, event: string, waited: Promise<Checked>): void {
    const done = waited
      .then((checked) => this.#passOn(socket, packet, event, checked))
      .catch((error: unknown) => this.#handlers.onError(error, event, socket))
      .then(() => {
        if (this.#pending.get(socket) === done) this.#pending.delete(socket);
      });
    this.#pending.set(socket, done);
  }

  #passOn(socket: Socket, packet: Packet, event: string, { args, issues }: Checked): void {
    if (issues !== undefined) {
      if (socket.connected) this.#refuse(socket, packet, event, issues);
      this.#handlers.onInvalid({ event, issues, socket });
      return;
    }
    // It may have been disconnected while a schema was asked.
    if (!socket.connected) return;
    const data: unknown[] = [event, ...args];
    // The listener may answer, whether or not anybody waits for it.
    const isAwaited = packet.id !== undefined && packet.id !== null;
    if (!isAwaited && this.#checker.isAnswered(event)) data.push(ignore);
    packet.data = data;
    socket.onevent(packet);
  }

  #refuse(socket: Socket, { id }: Packet, event: string, issues: readonly InvalidIssue[]): void {
    if (id === undefined || id === null) socket._sendInvalid({ event, issues });
    else socket.ack(id)({ error: { code: INVALID, message: MESSAGE, issues } });
  }
}

/** Checks an event of another server. Its last argument may be a callback. */
export function checkServerEvent(
  checker: EventChecker,
  given: readonly unknown[],
  deliver: (args: unknown[]) => void,
  handlers: CheckHandlers<never>,
): void {
  const [name, ...args] = given;
  const event = String(name);
  const answer = typeof args.at(-1) === "function" ? [args.pop()] : [];
  const passOn = ({ args: values, issues }: Checked): void => {
    if (issues !== undefined) handlers.onInvalid({ event, issues, socket: undefined });
    else deliver([event, ...values, ...answer]);
  };
  const checked = checker.check(event, args, answer.length > 0);
  if (checked instanceof Promise) {
    checked.then(passOn).catch((error: unknown) => handlers.onError(error, event, undefined));
  } else {
    passOn(checked);
  }
}

function ignore(): void {}
