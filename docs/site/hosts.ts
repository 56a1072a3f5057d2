// The site and the server of its demo on one port, on uWebSockets.js or on node:http.
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "@tidewire/server";
import type * as uWebSockets from "uWebSockets.js";
import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import { siteFiles } from "./files.ts";
import type { SiteFiles } from "./files.ts";

/** Its types lack the constant. */
type Uws = typeof uWebSockets & { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number };

/** A site that listens. */
export interface Listening {
  /** What it runs on. */
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Loads uWebSockets.js; undefined if it is not installed or has no binary for this machine. */
export async function loadUws(): Promise<Uws | undefined> {
  try {
    const loaded = (await import("uWebSockets.js")) as Uws & { readonly default?: Uws };
    return loaded.default ?? loaded;
  } catch {
    return undefined;
  }
}

/** Rejects with the code EADDRINUSE if the port is taken. */
export function listenOnUws(uws: Uws, io: Server, port: number): Promise<Listening> {
  const host = "uWebSockets.js";
  const app = uws.App();
  io.attachApp(app);
  serveOnUws(app, siteFiles(host));
  return new Promise((resolve, reject) => {
    app.listen(port, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket) resolve({ host, port: uws.us_socket_local_port(socket), close: () => io.close() });
      else reject(Object.assign(new Error("cannot listen"), { code: "EADDRINUSE" }));
    });
  });
}

/** Rejects with Node's error if it cannot listen. */
export function listenOnNode(io: Server, port: number): Promise<Listening> {
  const host = "node:http";
  const httpServer = serveOnNode(siteFiles(host));
  io.attach(httpServer);
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject).listen(port, () => {
      resolve({ host, port: (httpServer.address() as AddressInfo).port, close: () => io.close() });
    });
  });
}

/** Returns a server of node:http for the files. */
export function serveOnNode(files: SiteFiles): HttpServer {
  return createServer((request, response) => {
    void files(request.url ?? "/").then(({ status, headers, body }) =>
      response.writeHead(status, headers).end(body),
    );
  });
}

function serveOnUws(app: TemplatedApp, files: SiteFiles): void {
  // Not `get`, which uWebSockets.js would prefer to the route of Tidewire.
  app.any("/*", (response: HttpResponse, request: HttpRequest) => {
    let isGone = false;
    response.onAborted(() => (isGone = true));
    void files(request.getUrl()).then(({ status, headers, body }) => {
      if (isGone) return;
      response.cork(() => {
        response.writeStatus(String(status));
        for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
        response.end(body);
      });
    });
  });
}
