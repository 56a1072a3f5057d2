import type { Channels } from "./channels/channels.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { Journal } from "./journal/journal.ts";

/** What the nodes of several machines share: an engine that the application has already, such as `redis()` of `@tidewire/cluster-redis`. */
export interface Backend {
  /** Where the nodes find each other. */
  readonly discovery: Discovery;
  /** What carries broadcasts. Without it they travel over the links, a copy to each node. */
  readonly channels?: Channels;
  /**
   * Where events and the states of sockets are kept, so that clients are recovered on any node. It carries all broadcasts of a server
   * with `connectionStateRecovery` or the order `stream`.
   */
  readonly journal?: Journal;
}
