import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { ClusterError } from "../errors.ts";

const WILDCARDS: ReadonlySet<string> = new Set(["", "0.0.0.0", "::"]);

/** Returns `host:port`. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @throws ClusterError (`BAD_ADDRESS`) unless it is `host:port` */
export function parseAddress(address: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^[\]]+)\]?:(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) {
    throw new ClusterError("BAD_ADDRESS", address);
  }
  return { host, port: Number(port) };
}

/** Returns the host at which other machines reach a server that listens on `host`: the first of this machine, if it listens on all. */
export function reachableHost(host: string): string {
  if (!WILDCARDS.has(host)) return host;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal, scopeid }) => !internal && !scopeid);
  return (outside.find(({ family }) => family === "IPv4") ?? outside[0])?.address ?? "127.0.0.1";
}
