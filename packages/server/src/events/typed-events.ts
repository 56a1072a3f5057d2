import { EventEmitter } from "node:events";

/**
 * Values whose type only the application knows: event arguments without an event map, `socket.data` without a type
 * parameter. Existing applications read fields of them unchecked, so `unknown` would break their compilation.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- see above; this is the only `any` of the package
export type Untyped = any;

/** Event names to listener types. An interface is assignable to an index signature only if its values are untyped. */
export interface EventsMap {
  [event: string]: Untyped;
}

/** Without an event map of its own, an application may use any event with any arguments. */
export interface DefaultEventsMap {
  [event: string]: (...args: Untyped[]) => void;
}

type AnyFunction = (...args: never[]) => unknown;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** The last element of a tuple, or the element type of an array. */
export type Last<T extends readonly unknown[]> = T extends readonly [infer Only]
  ? Only
  : T extends readonly [unknown, ...infer Tail]
    ? Last<Tail>
    : T extends readonly (infer Item)[]
      ? Item
      : never;

/** A tuple without its last element. */
export type AllButLast<T extends unknown[]> = T extends [...infer Head, unknown] ? Head : Untyped[];

/** The names of the events of a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);

/** The arguments of an event. */
export type EventParams<Map extends EventsMap, Ev extends EventNames<Map>> = Parameters<Map[Ev]>;

/** Whether the listener type takes an acknowledgement as its last argument; "unknown" if it is untyped. */
type Acknowledges<Listener> =
  IsAny<Listener> extends true
    ? "unknown"
    : Listener extends (...args: infer Args) => unknown
      ? IsAny<Last<Args>> extends true
        ? "unknown"
        : Args extends never[]
          ? "no"
          : Last<Args> extends AnyFunction
            ? "yes"
            : "no"
      : "no";

/** The events whose last argument is an acknowledgement. */
export type EventNamesWithAck<
  Map extends EventsMap,
  K extends EventNames<Map> = EventNames<Map>,
> = K extends unknown ? (Acknowledges<Map[K]> extends "no" ? never : K) : never;

/** The events whose last argument is not an acknowledgement. */
export type EventNamesWithoutAck<
  Map extends EventsMap,
  K extends EventNames<Map> = EventNames<Map>,
> = K extends unknown ? (Acknowledges<Map[K]> extends "yes" ? never : K) : never;

/** The events without acknowledgements, which can be broadcast without a response per receiver. */
export type RemoveAcknowledgements<Map extends EventsMap> = {
  [K in EventNamesWithoutAck<Map>]: Map[K];
};

type LooseParameters<F> = F extends (...args: infer Args) => unknown ? Args : never;
type TakesError<Ack> = IsAny<Ack> extends true ? true : LooseParameters<Ack>[0] extends Error ? true : false;

/** The events whose acknowledgement takes an error first. */
export type EventNamesWithError<
  Map extends EventsMap,
  K extends EventNamesWithAck<Map> = EventNamesWithAck<Map>,
> = K extends unknown ? (TakesError<Last<Parameters<Map[K]>>> extends true ? K : never) : never;

/** What an acknowledgement delivers: its first argument that is not the error. */
export type FirstNonErrorArg<Ack> = Ack extends (...args: infer Args) => unknown
  ? Args[0] extends Error
    ? Args[1]
    : Args[0]
  : Untyped;

type WithTimeoutError<Args extends unknown[]> = {
  [K in keyof Args]: Args[K] extends (...args: infer AckArgs) => infer Result
    ? AckArgs[0] extends Error
      ? Args[K]
      : (err: Error, ...args: AckArgs) => Result
    : Args[K];
};

type EachAsArray<T extends unknown[]> = { [K in keyof T]: T[K][] };
/** The first element as a tuple, which keeps the name of the parameter. */
type Head<T extends unknown[]> = T extends [unknown, ...infer Tail]
  ? T extends [...infer First, ...Tail]
    ? First
    : never
  : never;

type WithResponses<Args extends unknown[]> = {
  [K in keyof Args]: Args[K] extends (...args: infer AckArgs) => infer Result
    ? AckArgs extends [Error]
      ? (err: Error) => Result
      : AckArgs extends [Error, ...infer Rest]
        ? (err: Error, ...args: Head<EachAsArray<Rest>>) => Result
        : AckArgs extends []
          ? () => Result
          : (...args: Head<EachAsArray<AckArgs>>) => Result
    : Args[K];
};

/** The events as `timeout()` changes them: acknowledgements take an error first. */
export type DecorateAcknowledgements<Map> = {
  [K in keyof Map]: Map[K] extends (...args: infer Args) => infer Result
    ? (...args: WithTimeoutError<Args>) => Result
    : Map[K];
};

/** The events as a broadcast changes them: acknowledgements take one response per receiver. */
export type DecorateAcknowledgementsWithMultipleResponses<Map> = {
  [K in keyof Map]: Map[K] extends (...args: infer Args) => infer Result
    ? (...args: WithResponses<Args>) => Result
    : Map[K];
};

/** The events as `serverSideEmit()` takes them: an error first, then one response per server. */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<Map> = {
  [K in keyof Map]: Map[K] extends (...args: infer Args) => infer Result
    ? (...args: WithResponses<WithTimeoutError<Args>>) => Result
    : Map[K];
};

/** The events one can listen to: those of the application and those the class itself emits. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  | EventNames<Reserved>
  | EventNames<User>;

/** The listener of such an event, untyped where its type would be `never`. */
export type ReservedOrUserListener<
  Reserved extends EventsMap,
  User extends EventsMap,
  Ev extends ReservedOrUserEventNames<Reserved, User>,
> = OrUntyped<
  Ev extends EventNames<Reserved> ? Reserved[Ev] : Ev extends EventNames<User> ? User[Ev] : never
>;

type OrUntyped<T> = [T] extends [never] ? (...args: Untyped[]) => void | Promise<void> : T;

/** An object with a typed `emit`. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
}

/** An event emitter with separate types for the events it listens to, those it sends, and those it emits itself (reserved). */
export abstract class StrictEventEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = Record<never, never>,
>
  extends EventEmitter
  implements TypedEventBroadcaster<EmitEvents>
{
  /** Adds a listener. */
  override on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this {
    return super.on(ev, listener);
  }

  /** Adds a listener for the next occurrence only. */
  override once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this {
    return super.once(ev, listener);
  }

  /** Emits an event. Subclasses send it to their receivers instead of calling the listeners. */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return super.emit(ev, ...args);
  }

  /** Calls the listeners of an event of the class itself. */
  protected emitReserved<Ev extends EventNames<ReservedEvents>>(
    ev: Ev,
    ...args: EventParams<ReservedEvents, Ev>
  ): boolean {
    return super.emit(ev, ...args);
  }

  /** @internal Calls the listeners of an event, whatever its name. */
  protected emitUntyped(ev: string, ...args: unknown[]): boolean {
    return super.emit(ev, ...args);
  }

  /** The listeners of an event. */
  override listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[] {
    return super.listeners(event) as ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[];
  }
}
