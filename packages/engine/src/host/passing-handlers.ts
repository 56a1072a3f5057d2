import type { WebSocketErrorKind, WebSocketHandlers } from "./host.ts";

/** Passes everything on to other handlers. Whoever stands between a host and a session overrides what it looks at. */
export class PassingHandlers implements WebSocketHandlers {
  readonly #handlers: WebSocketHandlers;

  constructor(handlers: WebSocketHandlers) {
    this.#handlers = handlers;
  }

  onMessage(data: string | Buffer): void {
    this.#handlers.onMessage(data);
  }

  onReadEnd(): void {
    this.#handlers.onReadEnd();
  }

  onAnswered(bytes: number): void {
    this.#handlers.onAnswered(bytes);
  }

  onDrain(): void {
    this.#handlers.onDrain();
  }

  onError(kind: WebSocketErrorKind, error: Error): void {
    this.#handlers.onError(kind, error);
  }

  onClose(code: number, reason: string): void {
    this.#handlers.onClose(code, reason);
  }
}
