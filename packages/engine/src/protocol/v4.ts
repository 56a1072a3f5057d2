import { engineCodecV4 } from "@tidewire/parser";
import { ServerHeartbeat } from "./heartbeat.ts";
import type { Protocol } from "./protocol.ts";

/** Engine.IO v4: socket.io-client 3 and 4. The server pings. */
export const v4: Protocol = {
  version: 4,
  codec: engineCodecV4,
  isAllowed: () => true,
  binaryBodies: false,
  createHeartbeat: (session, handlers) => new ServerHeartbeat(session, handlers),
};
