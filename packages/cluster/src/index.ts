/** Joins servers of several processes, of one machine or of many, without sticky sessions. @module */
export type { Backend } from "./backend.ts";
export type { Channels, ChannelsHandlers } from "./channels/channels.ts";
export { cluster } from "./cluster.ts";
export { dns } from "./discovery/dns.ts";
export type { Announcement, Discovery, DiscoveryHandlers, FoundNode } from "./discovery/discovery.ts";
export { LeasedDiscovery } from "./discovery/leased-discovery.ts";
export type { Leases, LeaseStore } from "./discovery/leased-discovery.ts";
export { ClusterError } from "./errors.ts";
export type { ClusterErrorCode } from "./errors.ts";
export type {
  ArrivedBatch,
  Batch,
  Journal,
  JournaledEvent,
  JournalHandlers,
  JournalSettings,
  Place,
  PublisherId,
  Renewal,
  StateChange,
  TakenState,
} from "./journal/journal.ts";
export * as internals from "./internals.ts";
export type { LinkCertificates, LinkCredentials } from "./machines/link-security.ts";
export type { LinkListenOptions } from "./machines/machine-network.ts";
export type { NodeId } from "./node-id.ts";
export type { ClusterOptions } from "./options.ts";
export type { BindingOptions } from "./session-directory.ts";
