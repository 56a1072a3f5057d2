import type { Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import { createError } from "./errors.ts";
import type { ServerOptions } from "./options.ts";

/** An HTTP server of Node. */
export type HttpServerInstance = HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/** Whether the first argument of the constructor is the options rather than a server or a port. */
export function isOptions(
  srv: HttpServerInstance | number | string | Partial<ServerOptions> | undefined,
): srv is Partial<ServerOptions> {
  return typeof srv === "object" && srv !== null && !("listen" in srv && srv.listen);
}

/**
 * Reads a port from a number or a string. The engine checks its range.
 * @throws TypeError for anything else
 */
export function portOf(srv: unknown): number {
  if (typeof srv === "number") return srv;
  const port = typeof srv === "string" ? Number(srv) : NaN;
  if (Number.isNaN(port)) {
    throw createError("NO_SERVER", String(srv));
  }
  return port;
}
