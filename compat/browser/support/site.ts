import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { listen } from "../../support/after-test.ts";
import type { Server, ServerOptions } from "../../../test/support/server/socketio.ts";
import { RestartableServer, serve, type CellHost, type StaticFile } from "../../support/restartable.ts";
import { clients, msgpackClients, type Client } from "./clients.ts";

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** A page without a client. */
export const ELSEWHERE = "/elsewhere";

const files = new Map<string, StaticFile>([
  [
    "/page.js",
    { type: SCRIPT, body: readFileSync(fileURLToPath(new URL("page.js", import.meta.url)), "utf8") },
  ],
  [ELSEWHERE, { type: HTML, body: "<!doctype html><title>elsewhere</title>" }],
]);
for (const client of [...clients, ...msgpackClients]) {
  files.set(client.path, { type: SCRIPT, body: readFileSync(client.file, "utf8") });
  files.set(pagePath(client), { type: HTML, body: html(client) });
}

/** The path of the page with this client. */
export function pagePath({ path }: Client): string {
  return `/page${path}`;
}

function html({ path, module }: Client): string {
  const load = module
    ? `<script type="module">import { io } from "${path}"; window.io = io;</script>`
    : `<script src="${path}"></script>`;
  const head = `<!doctype html><title>page</title><link rel="icon" href="data:,">`;
  return `${head}${load}<script src="/page.js"></script><button>touch</button>`;
}

/**
 * Starts a server that also serves the pages, so that they are same-origin. It acknowledges the event `echo` with its
 * arguments.
 */
export function startSite(
  host: CellHost,
  client: Client,
  options: Partial<ServerOptions> = {},
  prepare?: (io: Server) => void,
): Promise<RestartableServer> {
  const server = { allowEIO3: client.protocol === 3, ...options };
  return RestartableServer.start(host, {
    server,
    files,
    prepare(io) {
      prepare?.(io);
      io.on("connection", (socket) => {
        socket.on("echo", (...args: unknown[]) => {
          const answer = args.pop() as (...args: unknown[]) => void;
          answer(...args);
        });
      });
    },
  });
}

/** Answers requests for the pages, and ignores the others. */
export function answerWithFile(request: Request, response: Response): void {
  const file = files.get(request.url ?? "");
  if (file !== undefined) response.writeHead(200, { "content-type": file.type }).end(file.body);
}

interface Request {
  readonly url?: string | undefined;
}

interface Response {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown };
}

/** Starts a server that only serves the pages, and resolves with its port. */
export function startPages(): Promise<number> {
  return listen(createServer(serve(files)));
}
