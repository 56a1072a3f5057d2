import { internals } from "@tidewire/engine";
import type { AdapterConstructor } from "@tidewire/server";
import type { Backend } from "./backend.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { LinkListenOptions } from "./machines/machine-network.ts";
import type { BindingOptions } from "./session-directory.ts";

/** Options of `cluster()`. */
export interface ClusterOptions extends BindingOptions {
  /**
   * The name of the cluster: 1 to 40 of the characters `A-Z a-z 0-9 . _ -`. The processes of one user that give the same name belong
   * together.
   * @default the environment variable `TIDEWIRE_CLUSTER`, otherwise the port on which the server listens
   */
  name?: string;
  /**
   * The directory in which the processes find each other, of this cluster alone. It must belong to the user and have the mode 0700;
   * it is made if it is missing.
   * @default `tidewire-<uid>/<name>` in the directory for temporary files; `tidewire-<uid>` must be the user's alone, too
   */
  directory?: string;
  /**
   * Where this node listens for those of other machines, and the secret or the certificates by which they know each other. Needs
   * `backend` or `discovery`.
   * @default none: the cluster is that of one machine
   */
  listen?: LinkListenOptions;
  /**
   * Where the nodes of several machines find each other, and what carries broadcasts between them: `redis()` of
   * `@tidewire/cluster-redis`, `nats()` of `@tidewire/cluster-nats`, or `postgres()` of `@tidewire/cluster-postgres`. Needs `listen`.
   * @default none: the cluster is that of one machine
   */
  backend?: Backend;
  /**
   * Where the nodes of several machines find each other, in place of the backend: `dns()`, for example. Needs `listen`.
   * @default the discovery of the backend
   */
  discovery?: Discovery;
  /**
   * The order of events. `node`: those of one node arrive everywhere in the order in which it sent them, at its own clients at once.
   * `stream`: those of all nodes arrive everywhere in one order, at a node's own clients after a way to the backend and back, too.
   * Needs a backend with a journal.
   * @default "node"
   */
  ordering?: "node" | "stream";
  /**
   * The adapter, which carries broadcasts between the processes in place of the cluster's own: that of another package, such as
   * `createAdapter()` of `@socket.io/redis-streams-adapter`.
   * @default the adapter of the cluster
   */
  adapter?: AdapterConstructor;
}

const { anything, delay, oneOf, readOptions, text, warnOfUnknownOptions } = internals.optionRules;

const rules: internals.optionRules.OptionRules = {
  name: text,
  directory: text,
  bind: oneOf(["late", "early"]),
  bindTimeout: delay,
  listen: anything,
  backend: anything,
  discovery: anything,
  ordering: oneOf(["node", "stream"]),
  adapter: anything,
};

/**
 * Warns of unknown options.
 *
 * @throws OptionError for an invalid value
 */
export function readClusterOptions(given: ClusterOptions): ClusterOptions {
  warnOfUnknownOptions(given, rules, "cluster.");
  return readOptions(given, rules, "cluster.");
}
