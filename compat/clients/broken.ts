// How connections end that nobody closed.
import { itDiffers } from "../../test/support/server/socketio.ts";
import type { Mode } from "./setting.ts";

/** What each side calls the end of a broken connection: a request that failed, or a WebSocket that closed. */
export const broken = { polling: "transport error", websocket: "transport close" } as const;

/** Finds silence soon, and yet bears a machine that is busy. */
export const impatient = { pingInterval: 300, pingTimeout: 1_200 } as const;

interface Connecting {
  readonly mode: Mode;
  readonly version: { readonly protocol: 3 | 4 };
}

/** A test of a connection that falls silent; the official server does not find out about every one. */
export function itFallsSilent({ mode, version }: Connecting, body: () => Promise<void>): void {
  const title = "by silence";
  if (mode === "upgrade" && version.protocol === 3) {
    itDiffers(title, "the official server forgets the heartbeat of protocol 3 after an upgrade", body);
  } else {
    it(title, body);
  }
}
