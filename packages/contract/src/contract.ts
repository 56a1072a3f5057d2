import type { StandardSchemaV1 } from "@standard-schema/spec";
import { Checker } from "./check.ts";
import type { EventChecker } from "./check.ts";
import type { EventSchemas, Schema } from "./schema.ts";

/** What {@link defineContract} takes. */
export interface ContractDefinition {
  /** The events that clients send. */
  readonly clientToServer: EventSchemas;
  /** The events that the server sends. */
  readonly serverToClient: EventSchemas;
  /**
   * The events that the servers of a cluster send each other.
   * @default they are not checked
   */
  readonly serverToServer?: EventSchemas;
  /**
   * The type of `socket.data`. It is not checked, because the application writes it.
   * @default any data
   */
  readonly data?: Schema;
}

type ArgsOf<Event> = Event extends readonly Schema[]
  ? Event
  : Event extends { readonly args: infer Args extends readonly Schema[] }
    ? Args
    : [];
type AckOf<Event> = Event extends { readonly ack: infer Ack extends Schema } ? Ack : undefined;
type Inputs<Args extends readonly Schema[]> = {
  -readonly [K in keyof Args]: StandardSchemaV1.InferInput<Args[K]>;
};
type Outputs<Args extends readonly Schema[]> = {
  -readonly [K in keyof Args]: StandardSchemaV1.InferOutput<Args[K]>;
};

/** The events as the receiver's listeners take them: with the types that the schemas return. */
export type ReceivedEvents<Events> = {
  [Name in keyof Events]: AckOf<Events[Name]> extends Schema
    ? (
        ...args: [
          ...Outputs<ArgsOf<Events[Name]>>,
          answer: (response: StandardSchemaV1.InferInput<AckOf<Events[Name]>>) => void,
        ]
      ) => void
    : (...args: Outputs<ArgsOf<Events[Name]>>) => void;
};

/** The events as they are sent: with the types that the schemas take. */
export type SentEvents<Events> = {
  [Name in keyof Events]: AckOf<Events[Name]> extends Schema
    ? (
        ...args: [
          ...Inputs<ArgsOf<Events[Name]>>,
          answer: (response: StandardSchemaV1.InferOutput<AckOf<Events[Name]>>) => void,
        ]
      ) => void
    : (...args: Inputs<ArgsOf<Events[Name]>>) => void;
};

/**
 * The events of a server and its clients. `new Server({ contract })` has their types, and checks what it receives.
 *
 * @typeParam Listen - the events that the server receives
 * @typeParam Emit - the events that the server sends
 * @typeParam ServerSide - the events that servers send each other
 * @typeParam Data - the type of `socket.data`
 */
export interface Contract<
  Listen,
  Emit,
  ServerSide,
  Data,
  Definition extends ContractDefinition = ContractDefinition,
> {
  readonly definition: Definition;
  /** Checks what the server receives from clients. */
  readonly fromClients: EventChecker;
  /** Checks what the server receives from other servers. */
  readonly fromServers: EventChecker;
  /** For the compiler only. */
  readonly types?: {
    readonly listen: Listen;
    readonly emit: Emit;
    readonly serverSide: ServerSide;
    readonly data: Data;
  };
}

/** The contract of a definition. */
export type ContractOf<Definition extends ContractDefinition> = Contract<
  ReceivedEvents<Definition["clientToServer"]>,
  SentEvents<Definition["serverToClient"]>,
  Definition["serverToServer"] extends EventSchemas
    ? ReceivedEvents<Definition["serverToServer"]>
    : Record<never, never>,
  Definition["data"] extends Schema ? StandardSchemaV1.InferOutput<Definition["data"]> : unknown,
  Definition
>;

/**
 * The events that a client of the contract receives: the first type parameter of the client's `Socket`.
 *
 * @example
 * const socket: Socket<ClientListenEvents<typeof contract>, ClientEmitEvents<typeof contract>> = io();
 */
export type ClientListenEvents<C extends { readonly definition: ContractDefinition }> = ReceivedEvents<
  C["definition"]["serverToClient"]
>;

/** The events that a client of the contract sends: the second type parameter of the client's `Socket`. */
export type ClientEmitEvents<C extends { readonly definition: ContractDefinition }> = SentEvents<
  C["definition"]["clientToServer"]
>;

/**
 * Defines the events of a server and its clients, once for both. The module that calls it can be part of the client: it imports
 * nothing of the server.
 *
 * @example
 * export const contract = defineContract({
 *   clientToServer: {
 *     message: [z.string().max(500)],
 *     "order:create": { args: [order], ack: z.object({ id: z.string() }) },
 *   },
 *   serverToClient: { message: [z.string()] },
 * });
 */
export function defineContract<const Definition extends ContractDefinition>(
  definition: Definition,
): ContractOf<Definition> {
  return {
    definition,
    fromClients: new Checker(definition.clientToServer),
    fromServers: new Checker(definition.serverToServer ?? {}),
  };
}
