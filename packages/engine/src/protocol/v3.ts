import { engineCodecV3 } from "@tidewire/parser";
import { ClientHeartbeat } from "./heartbeat.ts";
import type { Protocol } from "./protocol.ts";

/** Engine.IO v3: socket.io-client 1 and 2. The client pings. */
export const v3: Protocol = {
  version: 3,
  codec: engineCodecV3,
  isAllowed: ({ allowEIO3 }) => allowEIO3,
  binaryBodies: true,
  createHeartbeat: (session, handlers) => new ClientHeartbeat(session, handlers),
};
