import { BlockList, isIP, isIPv6 } from "node:net";
import type { RequestHead } from "../host/host.ts";

/** Which proxies may say for whom they pass a request on. */
export type TrustProxy = boolean | number | readonly string[];

/** Finds the address that a request counts for. */
export type AddressReader = (head: RequestHead) => string;

/** Creates the reader for the option `trustProxy`. */
export function addressReader(trust: TrustProxy): AddressReader {
  if (trust === false || trust === 0) return (head) => plain(head.remoteAddress);
  if (typeof trust === "object") {
    const proxies = blockListOf(trust);
    return (head) => nearest(head, (address) => isIn(proxies, address));
  }
  const hops = Number(trust);
  return (head) => nearest(head, (_address, index) => index < hops);
}

/** Goes from the socket towards the client while the address at hand is that of a proxy. */
function nearest(head: RequestHead, isProxy: (address: string, index: number) => boolean): string {
  let address = plain(head.remoteAddress);
  const named = namedBy(head);
  for (let i = 0; i < named.length && isProxy(address, i); i++) {
    const next = named[named.length - 1 - i]!;
    // A proxy may hide the address; then its own has to do.
    if (isIP(next) === 0) break;
    address = next;
  }
  return address;
}

/** The addresses that proxies have named, the client first. `Forwarded` counts only where there is no `X-Forwarded-For`. */
function namedBy({ headers }: RequestHead): string[] {
  const list = headers["x-forwarded-for"];
  if (list !== undefined) return String(list).split(",").map(plain);
  const forwarded = headers["forwarded"];
  if (forwarded === undefined) return [];
  return forwarded
    .split(",")
    .map((element) => plain(/(?:^|;)\s*for=("[^"]*"|[^;]*)/i.exec(element)?.[1] ?? ""));
}

/** An address without quotes, brackets and port; one of IPv4 in its own form. */
function plain(given: string): string {
  const text = given.trim().replaceAll('"', "");
  const bracketed = /^\[([^\]]*)\]/.exec(text)?.[1];
  const address = bracketed ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(":")) : text);
  return /^::ffff:[\d.]+$/i.test(address) ? address.slice(7) : address;
}

function blockListOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [net = "", bits] = proxy.split("/");
    const family = isIPv6(net) ? "ipv6" : "ipv4";
    list.addSubnet(net, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** Whether all are addresses or subnets. */
export function areSubnets(given: unknown): given is string[] {
  if (!Array.isArray(given)) return false;
  try {
    blockListOf(given as string[]);
    return true;
  } catch {
    return false;
  }
}

/** The part of an address that one client has for itself: of IPv6, the first 64 bits. */
export function clientPart(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = "", right] = address.replace(/%.*$/, "").split("::");
  const groups = left === "" ? [] : left.split(":");
  if (right !== undefined) {
    const after = right === "" ? 0 : right.split(":").length;
    while (groups.length + after < 8) groups.push("0");
    if (right !== "") groups.push(...right.split(":"));
  }
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(":")}::/64`;
}
