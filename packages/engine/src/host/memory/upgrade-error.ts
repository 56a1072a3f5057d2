import { memoryMessages } from "./errors.ts";
import type { MemoryResponse } from "./response.ts";

/** The server has refused a WebSocket, with this response. */
export class MemoryUpgradeError extends Error {
  readonly code = "UPGRADE_REFUSED" as const;
  readonly response: MemoryResponse;

  constructor(response: MemoryResponse) {
    super(memoryMessages.UPGRADE_REFUSED + response.status);
    this.response = response;
  }
}
