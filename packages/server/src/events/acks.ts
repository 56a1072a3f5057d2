import { PacketType } from "@tidewire/parser";
import { createError } from "../errors.ts";
import type { Untyped } from "./typed-events.ts";
import { areFaked, setImmediate } from "../timers.ts";

/** A callback that receives the answer to an event, or a function that sends it. */
export type AckCallback = (...args: Untyped[]) => void;

/** Creates the function with which a listener answers an event: the first call sends, later ones do nothing. */
export function replyOnce(
  socket: { packet(packet: { type: PacketType; id: number; data: unknown }): void },
  id: number,
): AckCallback {
  let sent = false;
  return (...args) => {
    if (sent) return;
    socket.packet({ type: PacketType.ACK, id, data: args });
    sent = true;
  };
}

/** A callback that takes an error first, and can be called with one. */
export interface FailableAck extends AckCallback {
  /** Calls it with the error, unless it was called already. */
  fail?(error: unknown): void;
}

/**
 * Registers a callback for an answer that must arrive within `timeout` ms, and before the signal is aborted. It is called once, with
 * `null` and the answer or with an error, and with the socket as `this`.
 *
 * @param timeout - Infinity for no limit
 */
export function registerTimedAck(
  socket: {
    readonly acks: Map<number, AckCallback>;
    readonly server: { readonly _counters: { acksTimedOut: number } };
  },
  id: number,
  ack: AckCallback,
  timeout: number,
  signal?: AbortSignal,
): void {
  const finish: AckCallback = (...args) => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    ack.apply(socket, args);
  };
  const fail = (error: unknown): void => {
    if (socket.acks.delete(id)) finish(error);
  };
  const abort = (): void => fail(signal?.reason);
  const expire = afterRead(() => {
    if (socket.acks.has(id)) socket.server._counters.acksTimedOut++;
    fail(createError("ACK_TIMEOUT"));
  });
  const timer = timeout === Infinity ? undefined : setTimeout(expire, timeout);
  signal?.addEventListener("abort", abort);
  const answered: FailableAck = (...args) => finish(null, ...args);
  answered.fail = fail;
  socket.acks.set(id, answered);
}

/** Turns of the loop that it takes to accept a connection, read the head of its request, and read the body. */
const TURNS = 3;

/**
 * After the loop was blocked, an answer may have arrived in time without being read yet, so the loop reads first. Fake timers of a
 * test are never late, and a test expects their callbacks to have run when time has passed.
 */
export function afterRead(expire: () => void, turns: number = TURNS): () => void {
  if (areFaked()) return expire;
  return () => void setImmediate(turns > 1 ? afterRead(expire, turns - 1) : expire);
}

/** The error of a broadcast, with the answers that arrived in time. */
export interface ResponsesError extends Error {
  responses?: unknown;
}

/**
 * Calls `start` with a Node-style callback, which settles the promise. An error gets the answers that arrived before it as
 * `responses`, unless it is the reason of the signal, which belongs to the application.
 */
export function promiseOfResponses<T>(
  start: (callback: AckCallback) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error: ResponsesError | null, responses: T) => {
      if (error) {
        if (!signal?.aborted) error.responses = responses;
        reject(error);
      } else {
        resolve(responses);
      }
    });
  });
}

/**
 * How long the servers of a cluster wait for the answers of their clients if the application sets no limit, in ms. Published
 * adapters need a limit, because only a timer makes them forget a question.
 */
export const CLUSTER_ANSWER_TIMEOUT = 60_000;

/**
 * Collects the answers to a broadcast, one per receiver on every server of the cluster. It is complete when every server has
 * reported how many clients it has reached and all of these have answered.
 */
export class ResponseCollector {
  readonly #responses: unknown[] = [];
  readonly #done: (error: Error | null, responses: unknown[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settled = false;
  #expectedServers = -1;
  #answeredServers = 0;
  #expectedClients = 0;

  /**
   * @param done - called once, without an error when complete, or with one when time has run out
   * @param timeout - in ms; undefined sets no limit, unless there are several servers
   */
  constructor(done: (error: Error | null, responses: unknown[]) => void, timeout: number | undefined) {
    this.#done = done;
    if (timeout !== undefined) this.#limit(timeout);
  }

  #limit(timeout: number): void {
    this.#timer = setTimeout(
      afterRead(() => this.#settle(createError("ACK_TIMEOUT"))),
      timeout,
    );
  }

  /** Sets how many servers will report how many clients they have reached. */
  expectServers(count: number): void {
    this.#expectedServers = count;
    this.#check();
    if (count > 1 && this.#timer === undefined && !this.#settled) this.#limit(CLUSTER_ANSWER_TIMEOUT);
  }

  /**
   * Called when a server has reached this many clients.
   * @param servers - how many servers report; 0 if a server that has reported takes clients back, because it has died
   */
  readonly addClientCount = (count: number, servers: number = 1): void => {
    this.#expectedClients += count;
    this.#answeredServers += servers;
    this.#check();
  };

  /** Called when a client has answered. */
  readonly addResponse = (response: unknown): void => {
    this.#responses.push(response);
    this.#check();
  };

  /** Called when nobody waits for the answers any more, or the servers could not be asked. */
  fail(error: unknown): void {
    this.#settle(error instanceof Error ? error : new Error(String(error)));
  }

  #check(): void {
    if (this.#answeredServers === this.#expectedServers && this.#responses.length === this.#expectedClients) {
      this.#settle(null);
    }
  }

  #settle(error: Error | null): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#done(error, this.#responses);
  }
}
