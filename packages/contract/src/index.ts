export type { Checked, EventChecker, InvalidIssue } from "./check.ts";
export { defineContract } from "./contract.ts";
export type {
  ClientEmitEvents,
  ClientListenEvents,
  Contract,
  ContractDefinition,
  ContractOf,
  ReceivedEvents,
  SentEvents,
} from "./contract.ts";
export type { EventSchema, EventSchemas, Schema } from "./schema.ts";
