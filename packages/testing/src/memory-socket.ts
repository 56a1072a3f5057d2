import { MemoryUpgradeError } from "@tidewire/engine";
import type { MemoryHost, MemoryRequest, MemoryWebSocket } from "@tidewire/engine";
import type { InFlight } from "./in-flight.ts";

interface CloseEvent {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket to a server in memory, as the official client uses one. */
export class MemorySocket {
  /** As the client sets it. */
  binaryType = "nodebuffer";
  onopen: (() => void) | undefined = undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined = undefined;
  onclose: ((event: CloseEvent) => void) | undefined = undefined;
  onerror: ((error: Error) => void) | undefined = undefined;
  readonly #inFlight: InFlight;
  readonly #aborted: AbortController = new AbortController();
  #socket: MemoryWebSocket | undefined = undefined;
  #isClosed = false;

  constructor(host: MemoryHost, request: MemoryRequest, inFlight: InFlight) {
    this.#inFlight = inFlight;
    inFlight.send(() => {
      host.connect(request, this.#aborted.signal).then(
        (socket) => this.#opened(socket),
        (error: unknown) => this.#refused(error),
      );
    });
  }

  send(data: string | Uint8Array | ArrayBuffer): void {
    const message = typeof data === "string" ? data : Buffer.from(data as Uint8Array);
    this.#inFlight.send(() => this.#socket?.send(message));
  }

  close(): void {
    this.#inFlight.send(() => {
      this.#aborted.abort();
      this.#socket?.close(1005);
    });
  }

  /** Ends the connection as a broken network does: neither side sends a close frame. */
  terminate(): void {
    this.#inFlight.send(() => this.#socket?.terminate());
  }

  #opened(socket: MemoryWebSocket): void {
    this.#socket = socket;
    this.#inFlight.send(() => this.onopen?.());
    socket.onmessage = (data) => this.#inFlight.send(() => this.onmessage?.({ data: this.#read(data) }));
    socket.onclose = (code, reason) => this.#inFlight.send(() => this.#closed(code, reason));
  }

  #refused(error: unknown): void {
    const message =
      error instanceof MemoryUpgradeError
        ? `Unexpected server response: ${error.response.status}`
        : String(error);
    this.#inFlight.send(() => {
      this.onerror?.(new Error(message));
      this.#closed(1006, "");
    });
  }

  #read(data: string | Buffer): string | Buffer | ArrayBuffer {
    if (typeof data === "string" || this.binaryType !== "arraybuffer") return data;
    return new Uint8Array(data).buffer;
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onclose?.({ code, reason });
  }
}
