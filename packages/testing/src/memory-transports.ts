import type { MemoryHost } from "@tidewire/engine";
import { Fetch, NodeWebSocket } from "engine.io-client";
import type { InFlight } from "./in-flight.ts";
import { MemorySocket } from "./memory-socket.ts";

export interface MemoryTransports {
  readonly polling: typeof Fetch;
  readonly websocket: typeof NodeWebSocket;
}

/** Transports for the official client that lead to a host in memory. */
export function memoryTransports(host: MemoryHost, inFlight: InFlight): MemoryTransports {
  class MemoryPolling extends Fetch {
    override doPoll(): void {
      this.#request("GET", undefined, (body) => this.onData(body), "poll");
    }

    override doWrite(data: string, done: () => void): void {
      this.#request("POST", data, done, "post");
    }

    #url(): string {
      // As the official transport, which keeps its own method private.
      const isText = !this.supportsBinary && this.query["sid"] === undefined;
      return pathOf(this.createUri("http", isText ? { ...this.query, b64: 1 } : this.query));
    }

    #request(method: string, body: string | undefined, received: (body: string) => void, kind: string): void {
      const request = { method, url: this.#url(), headers: headersOf(this.opts) };
      const failed = (status: number): void => void this.onError(`${kind} error`, status, undefined);
      inFlight.send(() => {
        const { response } = host.request(body === undefined ? request : { ...request, body });
        response.then(
          ({ status, body: answer }) =>
            inFlight.send(() => (status === 200 ? received(answer.toString()) : failed(status))),
          () => inFlight.send(() => failed(0)),
        );
      });
    }
  }

  class MemoryWebSocketTransport extends NodeWebSocket {
    override createSocket(uri: string): MemorySocket {
      return new MemorySocket(host, { url: pathOf(uri), headers: headersOf(this.opts) }, inFlight);
    }
  }

  return { polling: MemoryPolling, websocket: MemoryWebSocketTransport };
}

function pathOf(uri: string): string {
  const { pathname, search } = new URL(uri);
  return pathname + search;
}

/** The headers that a client in Node sends, and those of the application. */
function headersOf(options: { extraHeaders?: Record<string, string> }): Record<string, string> {
  const headers: Record<string, string> = { host: "localhost" };
  for (const [name, value] of Object.entries(options.extraHeaders ?? {})) headers[name.toLowerCase()] = value;
  return headers;
}
