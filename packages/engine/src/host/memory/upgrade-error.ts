import type { MemoryResponse } from "./response.ts";

/** The server has refused a WebSocket, with this response. */
export class MemoryUpgradeError extends Error {
  readonly response: MemoryResponse;

  constructor(response: MemoryResponse) {
    super(`Unexpected server response: ${response.status}`);
    this.response = response;
  }
}
