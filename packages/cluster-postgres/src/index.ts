/** Lets the nodes of a cluster find each other, and broadcast, through PostgreSQL. @module */
export { PostgresError } from "./errors.ts";
export type { PostgresErrorCode } from "./errors.ts";
export type {
  PostgresClient,
  PostgresConnection,
  PostgresNotification,
  PostgresPool,
  PostgresPoolClient,
  PostgresResult,
} from "./connection/client.ts";
export { postgres } from "./postgres.ts";
export type { PostgresBackend, PostgresOptions } from "./postgres.ts";
