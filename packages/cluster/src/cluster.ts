import process from "node:process";
import type { ClusterOption } from "@tidewire/server";
import type { Backend } from "./backend.ts";
import { ClusterError } from "./errors.ts";
import { linkSecurity } from "./machines/link-security.ts";
import { readClusterOptions } from "./options.ts";
import type { ClusterOptions } from "./options.ts";
import { ServerCluster } from "./server-cluster.ts";
import { assertName } from "./socket-directory.ts";

/**
 * Joins a server with those of other processes of the machine, without a supervisor and without sticky sessions: they share the
 * port, and each request reaches the process that has its session. Rooms, broadcasts and `fetchSockets()` reach across all of them.
 * With `listen` and `backend` the processes of other machines belong to it, too.
 *
 * @example
 * const io = new Server(3000, { cluster: cluster() });
 *
 * @returns the option `cluster` of one server
 * @throws OptionError for an invalid value
 * @throws ClusterError `BAD_NAME` for an invalid name; `NO_SECRET`, `SHORT_SECRET`, `NO_AUTHORITY` for links between machines that
 * nothing protects; `NO_DISCOVERY`, `BAD_DISCOVERY`, `BAD_BACKEND` for machines that cannot find each other; `UNUSED_BACKEND`,
 * `NO_JOURNAL` for options that do not fit together. If the process cannot join later, because others can enter the directory, for
 * example, the error is uncaught
 */
export function cluster(given: ClusterOptions = {}): ClusterOption {
  const options = readClusterOptions(given);
  const { listen, backend } = options;
  if (backend !== undefined) assertBackend(backend, options);
  const discovery = options.discovery ?? backend?.discovery;
  if ((listen === undefined) !== (discovery === undefined)) throw new ClusterError("NO_DISCOVERY");
  if (discovery !== undefined && typeof discovery.announce !== "function")
    throw new ClusterError("BAD_DISCOVERY");
  if (listen !== undefined) linkSecurity(listen);
  if (options.ordering === "stream" && (backend?.journal === undefined || options.adapter !== undefined)) {
    throw new ClusterError("NO_JOURNAL");
  }
  const name = options.name ?? process.env["TIDEWIRE_CLUSTER"];
  if (name === undefined) return new ServerCluster(options);
  assertName(name);
  return new ServerCluster({ ...options, name });
}

/** @throws ClusterError if it is none, or nothing of it is used */
function assertBackend(backend: Backend, { adapter, discovery }: ClusterOptions): void {
  const isChannels = backend.channels === undefined || typeof backend.channels.publish === "function";
  if (typeof backend.discovery?.announce !== "function" || !isChannels) throw new ClusterError("BAD_BACKEND");
  const isUsed = discovery === undefined || (adapter === undefined && backend.channels !== undefined);
  if (!isUsed) throw new ClusterError("UNUSED_BACKEND");
}
