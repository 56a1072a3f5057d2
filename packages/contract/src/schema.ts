import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A schema of any library that follows Standard Schema: zod, valibot, arktype and others. */
export type Schema = StandardSchemaV1;

/** An event: the schemas of its arguments, and that of its answer if it has one. */
export interface EventSchema {
  /**
   * The schemas of the arguments.
   * @default no arguments
   */
  readonly args?: readonly Schema[];
  /**
   * The schema of what the receiver answers.
   * @default no answer
   */
  readonly ack?: Schema;
}

/** Events by name. A list of schemas stands for the arguments of an event without an answer. */
export type EventSchemas = Readonly<Record<string, EventSchema | readonly Schema[]>>;
