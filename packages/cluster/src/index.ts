/** Joins servers of several processes: all cores of a machine, without sticky sessions. @module */
export { cluster } from "./cluster.ts";
export { ClusterError } from "./errors.ts";
export type { ClusterErrorCode } from "./errors.ts";
export type { NodeId } from "./node-id.ts";
export type { ClusterOptions } from "./options.ts";
export type { BindingOptions } from "./session-directory.ts";
