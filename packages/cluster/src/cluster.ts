import process from "node:process";
import type { ClusterOption } from "@tidewire/server";
import { ClusterError } from "./errors.ts";
import { linkSecurity } from "./machines/link-security.ts";
import type { ClusterOptions } from "./options.ts";
import { ServerCluster } from "./server-cluster.ts";
import { assertName } from "./socket-directory.ts";

/**
 * Joins a server with those of other processes of the machine, without a supervisor and without sticky sessions: they share the
 * port, and each request reaches the process that has its session. Rooms, broadcasts and `fetchSockets()` reach across all of them.
 * With `listen` and `discovery` the processes of other machines belong to it, too.
 *
 * @example
 * const io = new Server(3000, { cluster: cluster() });
 *
 * @returns the option `cluster` of one server
 * @throws ClusterError (`BAD_NAME`) for an invalid name; `NO_SECRET`, `SHORT_SECRET`, `NO_AUTHORITY`, `NO_DISCOVERY` for links
 * between machines that are not protected or find nobody. If the process cannot join, because others can enter the directory, for
 * example, the error is thrown as uncaught
 */
export function cluster(options: ClusterOptions = {}): ClusterOption {
  const { listen, discovery } = options;
  if ((listen === undefined) !== (discovery === undefined)) throw new ClusterError("NO_DISCOVERY");
  if (listen !== undefined) linkSecurity(listen);
  const name = options.name ?? process.env["TIDEWIRE_CLUSTER"];
  if (name === undefined) return new ServerCluster(options);
  assertName(name);
  return new ServerCluster({ ...options, name });
}
