// Replaces uWebSockets.js in test files where it does not load; see leave-out.ts.
import { loadUws, UwsLoadError } from "../../../packages/engine/src/host/uws/load.ts";

/** Why tests on uWebSockets.js are left out; undefined where it loads. */
export const whyNoUws: string | undefined =
  loadUws() instanceof UwsLoadError
    ? `uWebSockets.js does not load on Node ${process.versions.node.split(".")[0]}`
    : undefined;

/** Thrown where a test needs it. */
export class NoUwsError extends Error {
  constructor() {
    super(whyNoUws);
  }
}

/** Makes the test pending: it needs uWebSockets.js in another process or in another way. */
export function needUws(): void {
  if (whyNoUws !== undefined) throw new NoUwsError();
}

function absent(): never {
  throw new NoUwsError();
}

export { absent as App, absent as SSLApp, absent as us_socket_local_port };
