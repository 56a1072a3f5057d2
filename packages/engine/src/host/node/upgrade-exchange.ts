import { STATUS_CODES } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort } from "../host.ts";
import type { Ongoing, OngoingSet } from "./ongoing.ts";
import { NodeRequest } from "./request.ts";

/** Completes an upgrade: the host's part of it. */
export type CompleteUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  /** what the client has sent behind the request meanwhile */
  early: readonly Buffer[],
  headers: OutgoingHttpHeaders,
  open: (port: WebSocketPort) => WebSocketHandlers,
) => void;

/** How many bytes a client may send before its upgrade is answered. It should send none. */
export const MAX_EARLY_BYTES: number = 64 * 1024;
const NONE: readonly Buffer[] = [];

/** An upgrade request on node:http or node:http2. */
export class NodeUpgradeExchange extends CollectedUpgradeExchange implements Ongoing {
  readonly request: NodeRequest;
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #complete: CompleteUpgrade;
  readonly #isOurs: boolean;
  readonly #ongoing: OngoingSet;
  readonly #onClose = (): void => {
    this.#ongoing.delete(this);
    this.abort();
  };
  #early: Buffer[] | undefined = undefined;
  #earlyBytes = 0;
  readonly #onData = (chunk: Buffer): void => {
    this.#early?.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.destroy();
  };

  /** @param isOurs - whether nobody else has seen the request */
  constructor(
    request: IncomingMessage,
    socket: Duplex,
    isOurs: boolean,
    ongoing: OngoingSet,
    complete: CompleteUpgrade,
  ) {
    super();
    this.#ongoing = ongoing;
    this.request = new NodeRequest(request);
    this.#request = request;
    this.#socket = socket;
    this.#complete = complete;
    this.#isOurs = isOurs;
    socket.once("close", this.#onClose).on("error", ignore);
  }

  /** By the rules of `ws`, which would answer itself without telling us. */
  override get malformed(): boolean {
    const { method, headers } = this.#request;
    const { upgrade = "", "sec-websocket-key": key = "", "sec-websocket-version": version = "" } = headers;
    const isHandshake = /^websocket$/i.test(upgrade) && /^[+/0-9A-Za-z]{22}==$/.test(key);
    return method !== "GET" || !isHandshake || !/^(?:8|13)$/.test(version);
  }

  override destroy(): void {
    this.#socket.destroy();
  }

  cut(): void {
    this.destroy();
  }

  /** Reads the socket while a hook decides; otherwise nobody would notice that the client has ended it. */
  watch(): void {
    if (this.ended) return;
    this.#early = [];
    this.#ongoing.add(this);
    this.#socket.on("data", this.#onData).once("end", this.#onEnd);
  }

  readonly #onEnd = (): void => void this.#socket.destroy();

  #unwatch(): void {
    if (this.#early === undefined) return;
    this.#socket.off("data", this.#onData).off("end", this.#onEnd);
  }

  protected override upgrade(
    headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#unwatch();
    this.#ongoing.delete(this);
    this.#socket.off("close", this.#onClose).off("error", ignore);
    this.#complete(this.#request, this.#socket, this.#early ?? NONE, headers, open);
    if (this.#isOurs) this.request.condense();
  }

  protected override write(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    reason: string = STATUS_CODES[status] ?? "",
  ): void {
    this.#unwatch();
    const lines = [`HTTP/1.1 ${status} ${reason}`];
    for (const [name, value] of Object.entries(headers)) {
      if (isWrittenHere(name)) continue;
      for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
    }
    lines.push("Connection: close", `Content-Length: ${Buffer.byteLength(body)}`, "", "");
    this.#socket.end(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), Buffer.from(body)]));
    this.#socket.once("finish", () => this.#socket.destroy());
  }
}

function isWrittenHere(name: string): boolean {
  return /^(?:connection|content-length|transfer-encoding)$/i.test(name);
}

function ignore(): void {}
