import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { EventSchema, EventSchemas, Schema } from "./schema.ts";

/** What is wrong with an event. */
export interface InvalidIssue {
  readonly message: string;
  /** Where: the index of the argument, then the keys within it. Empty for the event as a whole. */
  readonly path: readonly (string | number)[];
}

/** The outcome of a check: the arguments as the schemas return them, or what is wrong. */
export type Checked =
  | { readonly args: unknown[]; readonly issues?: undefined }
  | { readonly issues: readonly InvalidIssue[]; readonly args?: undefined };

/**
 * Checks the arguments of events.
 *
 * @example
 * const checker = contract.fromClients;
 * checker.has("order"); // true
 * await checker.check("order", [{ item: "tea", count: 2 }], true);
 * checker.isAnswered("order"); // true
 */
export interface EventChecker {
  /** Whether the contract has this event. */
  has(event: string): boolean;
  /**
   * @param args - without the acknowledgement
   * @param hasAck - whether the sender expects an answer
   * @returns a promise where a schema is asynchronous
   */
  check(event: string, args: readonly unknown[], hasAck: boolean): Checked | Promise<Checked>;
  /** Whether the receivers of the event answer it. */
  isAnswered(event: string): boolean;
}

interface Entry {
  readonly args: readonly Schema[];
  readonly isAnswered: boolean;
}

export class Checker implements EventChecker {
  readonly #events: ReadonlyMap<string, Entry>;

  constructor(events: EventSchemas) {
    this.#events = new Map(Object.entries(events).map(([name, event]) => [name, entryOf(event)]));
  }

  has(event: string): boolean {
    return this.#events.has(event);
  }

  isAnswered(event: string): boolean {
    return this.#events.get(event)?.isAnswered === true;
  }

  check(event: string, args: readonly unknown[], hasAck: boolean): Checked | Promise<Checked> {
    const entry = this.#events.get(event);
    if (entry === undefined) return invalid("There is no such event");
    if (hasAck && !entry.isAnswered) return invalid("This event has no acknowledgement");
    // Fewer are undefined, which is for the schemas to accept.
    if (args.length > entry.args.length) {
      return invalid(`Expected ${entry.args.length} arguments, got ${args.length}`);
    }
    return checkArgs(entry.args, args);
  }
}

function entryOf(event: EventSchema | readonly Schema[]): Entry {
  if (isList(event)) return { args: event, isAnswered: false };
  return { args: event.args ?? [], isAnswered: event.ack !== undefined };
}

function isList(event: EventSchema | readonly Schema[]): event is readonly Schema[] {
  return Array.isArray(event);
}

function invalid(message: string): Checked {
  return { issues: [{ message, path: [] }] };
}

function checkArgs(schemas: readonly Schema[], args: readonly unknown[]): Checked | Promise<Checked> {
  const results: unknown[] = [];
  let isLater = false;
  for (let i = 0; i < schemas.length; i++) {
    const result = schemas[i]!["~standard"].validate(args[i]);
    isLater ||= isThenable(result);
    results.push(result);
  }
  if (isLater) return Promise.all(results).then((all) => gather(all as StandardSchemaV1.Result<unknown>[]));
  return gather(results as StandardSchemaV1.Result<unknown>[]);
}

/** Promises may come from another library, or another realm. */
function isThenable(result: object): boolean {
  return "then" in result && typeof result.then === "function";
}

function gather(results: readonly StandardSchemaV1.Result<unknown>[]): Checked {
  const args: unknown[] = [];
  const issues: InvalidIssue[] = [];
  for (let i = 0; i < results.length; i++) {
    const result = results[i]!;
    if (result.issues === undefined) args.push(result.value);
    else for (const { message, path } of result.issues) issues.push({ message, path: [i, ...keysOf(path)] });
  }
  return issues.length > 0 ? { issues } : { args };
}

function keysOf(path: StandardSchemaV1.Issue["path"]): (string | number)[] {
  return (path ?? []).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    return typeof key === "number" ? key : String(key);
  });
}
