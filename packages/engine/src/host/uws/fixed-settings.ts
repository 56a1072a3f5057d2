/** Seconds after which uWebSockets.js ends a connection that waits for a request, or for the rest of one. */
const IDLE_SECONDS = 10;

/** Settings of an `http.Server` that uWebSockets.js does not have, with the values that it uses. */
const FIXED: Readonly<Record<string, number>> = {
  keepAliveTimeout: IDLE_SECONDS * 1000,
  headersTimeout: IDLE_SECONDS * 1000,
  requestTimeout: IDLE_SECONDS * 1000,
  timeout: 0,
  maxHeadersCount: 100,
  maxRequestsPerSocket: 0,
  maxConnections: 0,
};

/** Gives a server these settings, which warn when they are assigned. */
export function fixSettings(prototype: object): void {
  for (const [name, value] of Object.entries(FIXED)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get: () => value,
      set(): void {
        warnOfSetting(name);
      },
    });
  }
}

let isWarned = false;

/** Warns once. */
export function warnOfSetting(name: string): void {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    `httpServer.${name} has no effect on uWebSockets.js, which closes a connection that waits ${IDLE_SECONDS} seconds for a request ` +
      `or for the rest of one. If you need another limit, set host: "node".`,
    { type: "TidewireWarning", code: "TIDEWIRE_FIXED_SETTING" },
  );
}
