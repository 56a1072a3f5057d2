// Where the official package declares these types; applications import them from `dist/typed-events`.
export type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithError,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  RemoveAcknowledgements,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
  StrictEventEmitter,
  TypedEventBroadcaster,
} from "./events/typed-events.ts";

/** The first element of a tuple that is not an error. */
export type FirstNonErrorTuple<T extends readonly unknown[]> = T[0] extends Error ? T[1] : T[0];

/** A tuple of arrays of the elements of a tuple. */
export type MultiplyArray<T extends readonly unknown[]> = { [K in keyof T]: T[K][] };
