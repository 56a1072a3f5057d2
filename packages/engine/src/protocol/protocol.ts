import type { EngineCodec } from "@tidewire/parser";
import type { Heartbeat, HeartbeatHandlers, HeartbeatSession } from "./heartbeat.ts";

/** Everything that differs between the versions of Engine.IO. A session chooses its record once, at the handshake. */
export interface Protocol {
  readonly version: 3 | 4;
  readonly codec: EngineCodec;
  /** Whether the options let clients of this version in. */
  isAllowed(options: { allowEIO3: boolean }): boolean;
  /** Whether a POST may carry `application/octet-stream`. */
  readonly binaryBodies: boolean;
  createHeartbeat<Session extends HeartbeatSession>(
    session: Session,
    handlers: HeartbeatHandlers<Session>,
  ): Heartbeat;
}
