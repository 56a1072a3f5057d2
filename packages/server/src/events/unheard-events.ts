/** Clients choose the names, so not all of them are remembered. */
const MOST_NAMES = 100;

/** How much of a name is shown. */
const SHOWN = 100;

/** Warns of events that nobody listens to, once for each name. */
export class UnheardEvents {
  readonly #warned: Set<string> = new Set();

  warn(event: string, namespace: string): void {
    const name = String(event).slice(0, SHOWN);
    if (this.#warned.has(name) || this.#warned.size >= MOST_NAMES) return;
    this.#warned.add(name);
    process.emitWarning(
      `The event ${JSON.stringify(name)} arrived in the namespace ${JSON.stringify(namespace)} and was dropped: no listener is registered`,
      { type: "TidewireWarning", code: "TIDEWIRE_UNHEARD_EVENT" },
    );
  }
}

/** Returns undefined where no warnings are wanted. */
export function unheardEventsFor(options: {
  holdUntilReady?: boolean;
  warnOfUnheardEvents?: boolean;
}): UnheardEvents | undefined {
  const isDevelopment = process.env["NODE_ENV"] !== "production";
  const isWanted = options.warnOfUnheardEvents ?? (options.holdUntilReady && isDevelopment);
  return isWanted ? new UnheardEvents() : undefined;
}
