import type { Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import { createError } from "./errors.ts";
import type { ServerOptions } from "./options.ts";

/** An HTTP server of Node. */
export type HttpServerInstance = HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/** Whether the first argument of the constructor is the options, and not what to attach to. */
export function isOptions(
  srv: HttpServerInstance | number | string | Partial<ServerOptions> | undefined,
): srv is Partial<ServerOptions> {
  return typeof srv === "object" && srv !== null && !("listen" in srv && srv.listen);
}

/**
 * The port that a number or a text stands for; the engine refuses a number that no port has.
 * @throws TypeError if it is none
 */
export function portOf(srv: unknown): number {
  if (typeof srv === "number") return srv;
  const port = typeof srv === "string" ? Number(srv) : NaN;
  if (Number.isNaN(port)) {
    throw createError("NO_SERVER", String(srv));
  }
  return port;
}
