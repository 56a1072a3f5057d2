/** An inspector, as its server calls it. */
export interface AttachmentListener {
  /** The server accepts the connections of one more engine. */
  attached(engine: object): void;
  /** The server closes. */
  detached(): void;
}

/** Passes the engines of a server to its inspectors, now and later. */
export class Attachments {
  #engines: object[] = [];
  #listeners: AttachmentListener[] | undefined = undefined;

  /** How many engines there are. */
  get size(): number {
    return this.#engines.length;
  }

  add(listener: AttachmentListener): void {
    (this.#listeners ??= []).push(listener);
    for (const engine of this.#engines) listener.attached(engine);
  }

  remove(listener: AttachmentListener): void {
    this.#listeners = this.#listeners?.filter((each) => each !== listener);
  }

  attached(engine: object): void {
    if (!this.#engines.includes(engine)) this.#engines.push(engine);
    for (const listener of this.#listeners ?? []) listener.attached(engine);
  }

  detached(): void {
    this.#engines = [];
    for (const listener of this.#listeners ?? []) listener.detached();
  }
}
