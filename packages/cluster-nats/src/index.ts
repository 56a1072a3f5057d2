/** Lets the nodes of a cluster find each other, and broadcast, through NATS. @module */
export { NatsError } from "./errors.ts";
export type { NatsErrorCode } from "./errors.ts";
export type { NatsConnection, NatsMessage, NatsSubscription } from "./connection.ts";
export { nats } from "./nats.ts";
export type { NatsBackend, NatsOptions } from "./nats.ts";
