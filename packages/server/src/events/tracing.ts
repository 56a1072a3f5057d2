import { channel, tracingChannel } from "node:diagnostics_channel";
import type { Channel, TracingChannel } from "node:diagnostics_channel";
import type { AckCallback } from "./acks.ts";

/** The tracing channels of `node:diagnostics_channel`. Nothing is created for one without subscribers. */
export interface Tracing {
  /** The listeners of an event that a client has sent, until the promises that they return are settled. */
  readonly event: TracingChannel<unknown, EventTrace>;
  /** An event that asks for an answer, until the answer comes, or nobody waits for it any more. */
  readonly ack: TracingChannel<unknown, AckTrace>;
  /** The middlewares of a namespace, until they have admitted or refused a client. */
  readonly connect: TracingChannel<unknown, ConnectTrace>;
  /** An event that is sent to several clients. */
  readonly broadcast: TracingChannel<unknown, BroadcastTrace>;
}

export const tracing: Tracing = {
  event: tracingChannel("tidewire:event"),
  ack: tracingChannel("tidewire:ack"),
  connect: tracingChannel("tidewire:connect"),
  broadcast: tracingChannel("tidewire:broadcast"),
};

/** The channels of what takes no time. */
export interface Notices {
  /** An event that is sent to one client. */
  readonly emit: Channel<unknown, EmitNotice>;
  /** A socket that has left its namespace. */
  readonly disconnect: Channel<unknown, DisconnectNotice>;
}

export const notices: Notices = {
  emit: channel("tidewire:emit") as Notices["emit"],
  disconnect: channel("tidewire:disconnect") as Notices["disconnect"],
};

export interface EmitNotice {
  readonly socket: object;
  readonly namespace: string;
  readonly event: string;
  /** With the callback, if the event asks for an answer. */
  readonly args: readonly unknown[];
}

export interface DisconnectNotice {
  readonly socket: object;
  readonly namespace: string;
  readonly reason: string;
  /** The second argument of `disconnect`. */
  readonly description: unknown;
}

export interface EventTrace {
  readonly socket: object;
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly unknown[];
}

export interface AckTrace {
  /** Undefined if several clients are asked. */
  readonly socket: object | undefined;
  readonly namespace: string;
  readonly event: string;
}

export interface ConnectTrace {
  readonly socket: object;
  readonly namespace: string;
}

export interface BroadcastTrace {
  /** Undefined if the adapter was created for something else than a namespace. */
  readonly server: object | undefined;
  readonly namespace: string;
  readonly event: string;
  readonly args: readonly unknown[];
  readonly rooms: ReadonlySet<string>;
  readonly except: ReadonlySet<string>;
}

/** The members that a trace gets while it runs, as Node names them. */
type Ended<Trace> = Trace & { error?: unknown; result?: unknown };

/** Publishes the call of the listeners of an event; `call` returns the promises that they have returned. */
export function traceEvent(trace: EventTrace, call: () => readonly PromiseLike<unknown>[]): void {
  const { asyncStart, asyncEnd, error: failed } = tracing.event;
  const pending = tracing.event.traceSync(call, trace);
  const ended: Ended<EventTrace> = trace;
  let left = pending.length;
  const settled = (): void => {
    if (--left > 0) return;
    asyncStart.publish(ended);
    asyncEnd.publish(ended);
  };
  for (const promise of pending) {
    void promise.then(settled, (error: unknown) => {
      ended.error = error;
      failed.publish(ended);
      settled();
      // An error that nobody else handles surfaces as usual.
      throw error;
    });
  }
}

/** Returns a callback that publishes how long the answer took. `takesError` says whether the callback takes an error first. */
export function traceAck(trace: AckTrace, takesError: boolean, ack: AckCallback): AckCallback {
  const { start, end, asyncStart, asyncEnd, error: failed } = tracing.ack;
  const ended: Ended<AckTrace> = trace;
  start.publish(ended);
  end.publish(ended);
  return function (this: unknown, ...args) {
    const error: unknown = takesError ? args[0] : undefined;
    if (error) {
      ended.error = error;
      failed.publish(ended);
    } else {
      ended.result = args[takesError ? 1 : 0];
    }
    asyncStart.publish(ended);
    try {
      ack.apply(this, args);
    } finally {
      asyncEnd.publish(ended);
    }
  };
}
