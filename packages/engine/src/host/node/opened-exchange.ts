import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { WebSocket } from "ws";
import { CollectedUpgradeExchange } from "../copied/upgrade-exchange.ts";
import type { WebSocketHandlers, WebSocketPort } from "../host.ts";
import { PassingHandlers } from "../passing-handlers.ts";
import type { Ongoing, OngoingSet } from "./ongoing.ts";
import { NodeRequest } from "./request.ts";
import { MAX_EARLY_BYTES } from "./upgrade-exchange.ts";
import type { NodeWebSocketPort } from "./websocket.ts";

/** Creates the port of the WebSocket. */
export type CreatePort = (open: (port: WebSocketPort) => WebSocketHandlers) => NodeWebSocketPort;

const TRY_AGAIN_LATER = 1013;
const POLICY_VIOLATION = 1008;
const TOO_LARGE = 1009;
/** How many bytes a close frame has for its reason. */
const LONGEST_REASON = 123;

/**
 * A WebSocket that the application has accepted itself. To refuse it is to close it, and headers can no longer be sent. What the
 * client sends while a hook decides is kept.
 */
export class OpenedWebSocketExchange extends CollectedUpgradeExchange implements Ongoing {
  readonly request: NodeRequest;
  readonly #socket: WebSocket;
  readonly #maxPayload: number;
  readonly #ongoing: OngoingSet;
  readonly #createPort: CreatePort;
  readonly #early: [data: Buffer, isBinary: boolean][] = [];
  #earlyBytes = 0;

  constructor(
    request: IncomingMessage,
    socket: WebSocket,
    maxPayload: number,
    ongoing: OngoingSet,
    createPort: CreatePort,
  ) {
    super();
    this.request = new NodeRequest(request);
    this.#socket = socket;
    this.#maxPayload = maxPayload;
    this.#ongoing = ongoing;
    this.#createPort = createPort;
    socket.binaryType = "nodebuffer";
    socket.on("message", this.#onMessage).on("close", this.#onClose).on("error", ignore);
    ongoing.add(this);
  }

  override destroy(): void {
    this.#socket.terminate();
  }

  cut(): void {
    this.destroy();
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    const bytes = data as Buffer;
    this.#early.push([bytes, isBinary]);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.destroy();
  };

  readonly #onClose = (): void => {
    this.#release();
    this.abort();
  };

  #release(): void {
    this.#ongoing.delete(this);
    this.#socket.off("message", this.#onMessage).off("close", this.#onClose);
  }

  protected override upgrade(
    _headers: OutgoingHttpHeaders,
    open: (port: WebSocketPort) => WebSocketHandlers,
  ): void {
    this.#release();
    const { handlers } = this.#createPort(
      (port) => new LimitedHandlers(open(port), this.#socket, this.#maxPayload),
    );
    this.#socket.off("error", ignore);
    for (const [data, isBinary] of this.#early.splice(0))
      handlers.onMessage(isBinary ? data : data.toString());
  }

  protected override write(status: number, _headers: OutgoingHttpHeaders, body: string | Buffer): void {
    // A closing server does not wait for a client that does not answer the close frame.
    this.#socket.off("message", this.#onMessage);
    const reason = body.toString();
    this.#socket.close(
      status === 429 || status === 503 ? TRY_AGAIN_LATER : POLICY_VIOLATION,
      Buffer.byteLength(reason) <= LONGEST_REASON ? reason : "",
    );
  }
}

/** Refuses messages that are too large: the limit of the server that has accepted the WebSocket may be another one, or none. */
class LimitedHandlers extends PassingHandlers {
  readonly #socket: WebSocket;
  readonly #limit: number;

  constructor(handlers: WebSocketHandlers, socket: WebSocket, limit: number) {
    super(handlers);
    this.#socket = socket;
    this.#limit = limit;
  }

  override onMessage(data: string | Buffer): void {
    // No encoding is shorter than its characters.
    if (data.length <= this.#limit && Buffer.byteLength(data) <= this.#limit) {
      super.onMessage(data);
      return;
    }
    const reason = "Max payload size exceeded";
    this.#socket.close(TOO_LARGE, reason);
    this.onError("too large", new RangeError(reason));
  }
}

function ignore(): void {}
