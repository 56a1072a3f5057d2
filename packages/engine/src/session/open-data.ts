/** The contents of an open packet, without the id. */
export interface OpenOptions {
  /** Names of the transports that the client may change to. */
  readonly upgrades: readonly string[];
  /** In ms. */
  readonly pingInterval: number;
  /** In ms. */
  readonly pingTimeout: number;
  /** In bytes. */
  readonly maxPayload: number;
}

const NONE: OpenOptions = { upgrades: [], pingInterval: 0, pingTimeout: 0, maxPayload: 0 };

/** Creates the data of open packets. Only the sid differs, unless the application changes its options. */
export class OpenData {
  #options: OpenOptions = NONE;
  /** What follows the sid. */
  #rest = "";

  of(sid: string, options: OpenOptions): string {
    if (this.#rest === "" || !isSame(options, this.#options)) {
      this.#options = options;
      this.#rest = JSON.stringify(options).slice(1);
    }
    return `{"sid":${JSON.stringify(sid)},${this.#rest}`;
  }
}

function isSame(options: OpenOptions, others: OpenOptions): boolean {
  const { upgrades, pingInterval, pingTimeout, maxPayload } = options;
  return (
    pingInterval === others.pingInterval &&
    pingTimeout === others.pingTimeout &&
    maxPayload === others.maxPayload &&
    upgrades.length === others.upgrades.length &&
    upgrades.every((name, i) => name === others.upgrades[i])
  );
}
