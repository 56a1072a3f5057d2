import { PacketType } from "@tidewire/parser";
import { createError } from "../errors.ts";
import type { Untyped } from "./typed-events.ts";
import { areFaked, setImmediate } from "../timers.ts";

/** What waits for the answer to an event, or gives it. */
export type AckCallback = (...args: Untyped[]) => void;

/** The function a listener answers the event of this id with: the first call sends, the others do nothing. */
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

/**
 * Registers a callback for an answer that must come within `timeout` ms: it is then called with `null` and the answer,
 * otherwise with an error, and its entry is gone. It has the socket for `this`.
 */
export function registerTimedAck(
  socket: { readonly acks: Map<number, AckCallback> },
  id: number,
  ack: AckCallback,
  timeout: number,
): void {
  const expire = (): void => {
    if (socket.acks.delete(id)) ack.call(socket, createError("ACK_TIMEOUT"));
  };
  const timer = setTimeout(afterRead(expire), timeout);
  socket.acks.set(id, (...args) => {
    clearTimeout(timer);
    ack.call(socket, null, ...args);
  });
}

/** Turns of the loop until it has accepted a connection, read the head of its request, and read the body. */
const TURNS = 3;

/**
 * Where the loop was blocked, the answer may have come in time and not been read yet. Fake timers of a test are never late,
 * and what they are told to run has then run.
 */
function afterRead(expire: () => void, turns: number = TURNS): () => void {
  if (areFaked()) return expire;
  return () => void setImmediate(turns > 1 ? afterRead(expire, turns - 1) : expire);
}

/** An error of a broadcast, with the answers that did come in time. */
export interface ResponsesError extends Error {
  responses?: unknown;
}

/**
 * Calls `start` with a Node-style callback; the promise settles as the callback says.
 * Answers that came before an error are kept on it as `responses`.
 */
export function promiseOfResponses<T>(start: (callback: AckCallback) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    start((error: ResponsesError | null, responses: T) => {
      if (error) {
        error.responses = responses;
        reject(error);
      } else {
        resolve(responses);
      }
    });
  });
}

/**
 * How long the servers of a cluster are given for their clients' answers if the application sets no limit, in ms. Published
 * adapters forget a question by a timer, so that they have to be told of one.
 */
export const CLUSTER_ANSWER_TIMEOUT = 60_000;

/**
 * Collects the answers to a broadcast: one per client that got it, on every server of the cluster.
 * Complete when every server has told how many clients it has reached, and all of them have answered.
 */
export class ResponseCollector {
  private readonly responses: unknown[] = [];
  private readonly done: (error: Error | null, responses: unknown[]) => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settled = false;
  private expectedServers = -1;
  private answeredServers = 0;
  private expectedClients = 0;

  /**
   * @param done - called once: without an error when complete, with one when time ran out
   * @param timeout - in ms; undefined waits for ever, unless there are several servers
   */
  constructor(done: (error: Error | null, responses: unknown[]) => void, timeout: number | undefined) {
    this.done = done;
    if (timeout !== undefined) this.limit(timeout);
  }

  private limit(timeout: number): void {
    this.timer = setTimeout(
      afterRead(() => this.settle(createError("ACK_TIMEOUT"))),
      timeout,
    );
  }

  /** How many servers will report how many clients they have reached. */
  expectServers(count: number): void {
    this.expectedServers = count;
    this.check();
    if (count > 1 && this.timer === undefined && !this.settled) this.limit(CLUSTER_ANSWER_TIMEOUT);
  }

  /** One server has reached so many clients. */
  readonly addClientCount = (count: number): void => {
    this.expectedClients += count;
    this.answeredServers++;
    this.check();
  };

  /** One client has answered. */
  readonly addResponse = (response: unknown): void => {
    this.responses.push(response);
    this.check();
  };

  /** The servers could not be asked. */
  fail(error: unknown): void {
    this.settle(error instanceof Error ? error : new Error(String(error)));
  }

  private check(): void {
    if (this.answeredServers === this.expectedServers && this.responses.length === this.expectedClients) {
      this.settle(null);
    }
  }

  private settle(error: Error | null): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.done(error, this.responses);
  }
}
