import type { IncomingHttpHeaders } from "node:http";

/** What a request from this machine is recognized by. */
export interface Origin {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** A proxy on this machine sets one of them: the request is that of somebody else. */
const PROXY_HEADER =
  /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

const LOOPBACK = /^(?:::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/;
const LOCAL_HOST = /^(?:(?:[\w-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

/**
 * Whether a request comes from this machine, and not through a proxy. The host must be a name of this machine, too: otherwise any
 * page could reach the server by a domain that it points here.
 */
export function isLocal({ remoteAddress = "", headers }: Origin): boolean {
  return (
    LOOPBACK.test(remoteAddress) &&
    !Object.keys(headers).some((name) => PROXY_HEADER.test(name)) &&
    LOCAL_HOST.test(headers.host ?? "")
  );
}
