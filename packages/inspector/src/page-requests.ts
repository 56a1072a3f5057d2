import type { HttpExchange } from "@tidewire/engine";
import { internals } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { Gate } from "./access/gate.ts";
import type { Tokens } from "./access/tokens.ts";
import { pageFile, securityHeaders } from "./pages.ts";

/** The client, from the files that every server has. */
const CLIENT = "socket.io.esm.min.js";

type Headers = Record<string, string>;

/** Answers the requests of the page. */
export class PageRequests {
  readonly #path: string;
  readonly #gate: Gate;
  readonly #tokens: Tokens;

  constructor(path: string, gate: Gate, tokens: Tokens) {
    this.#path = path;
    this.#gate = gate;
    this.#tokens = tokens;
  }

  /** Answers a request, unless it is one of a connection. */
  intercept(exchange: HttpExchange): boolean {
    const [pathname = "", query = ""] = exchange.request.head.url.split("?", 2);
    if (/(?:^|&)EIO=/.test(query)) return false;
    this.#answer(exchange, pathname.slice(this.#path.length)).catch((error: unknown) => {
      respond(exchange, 500, {}, "The page cannot be read.");
      internals.rethrow(error);
    });
    return true;
  }

  async #answer(exchange: HttpExchange, rest: string): Promise<void> {
    const { head } = exchange.request;
    if (head.method !== "GET" && head.method !== "HEAD")
      return respond(exchange, 405, { Allow: "GET, HEAD" });
    const refusal = await this.#gate.refusalOf(exchange.request);
    if (exchange.ended) return;
    if (refusal !== undefined) return respond(exchange, refusal.status, refusal.headers, refusal.message);
    // Relative, because a proxy may have taken a part of the path away.
    if (rest === "") return respond(exchange, 308, { Location: `${this.#path.replace(/^.*\//, "")}/` });
    const name = rest.slice(1);
    if (!rest.startsWith("/")) {
      respond(exchange, 404, {}, "There is no such file.");
    } else if (name === "token") {
      respond(exchange, 200, { "Content-Type": "text/plain; charset=utf-8" }, this.#tokens.create());
    } else if (name === CLIENT) {
      for (const [header, value] of Object.entries(securityHeaders))
        exchange.response.setHeader(header, value);
      Server.sendFile(CLIENT, exchange.request.message, exchange.response);
    } else {
      await this.#sendFile(exchange, name || "index.html");
    }
  }

  async #sendFile(exchange: HttpExchange, name: string): Promise<void> {
    const file = await pageFile(name);
    if (file === undefined) return respond(exchange, 404, {}, "There is no such file.");
    const headers = { "Content-Type": file.type, "Cache-Control": "private, no-cache", ETag: file.etag };
    if (exchange.request.head.headers["if-none-match"] === file.etag) respond(exchange, 304, headers);
    else respond(exchange, 200, headers, file.body);
  }
}

function respond(exchange: HttpExchange, status: number, headers: Headers, body?: string | Buffer): void {
  const defaults: Headers = { "Cache-Control": "no-store" };
  if (body !== undefined) defaults["Content-Type"] = "text/plain; charset=utf-8";
  exchange.respond(status, { ...securityHeaders, ...defaults, ...headers }, body);
}
