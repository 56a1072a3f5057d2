import { Cable } from "./cable.ts";

/** Cables to the ports of a server, such as those of Redis Cluster. What is done to one is done to all. */
export class Cables implements AsyncDisposable {
  readonly #cables: ReadonlyMap<number, Cable>;

  private constructor(cables: ReadonlyMap<number, Cable>) {
    this.#cables = cables;
  }

  static async to(targets: readonly number[]): Promise<Cables> {
    const cables = new Map<number, Cable>();
    for (const target of targets) cables.set(target, await Cable.to(target));
    return new Cables(cables);
  }

  /** Where they begin, by the port to which they lead. */
  get ports(): ReadonlyMap<number, number> {
    return new Map([...this.#cables].map(([target, { port }]) => [target, port]));
  }

  /** Where the first one begins. */
  get port(): number {
    const [first] = this.#cables.values();
    return first!.port;
  }

  cut(): void {
    for (const cable of this.#cables.values()) cable.cut();
  }

  block(): void {
    for (const cable of this.#cables.values()) cable.block();
  }

  mend(): void {
    for (const cable of this.#cables.values()) cable.mend();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cable of this.#cables.values()) await cable[Symbol.asyncDispose]();
  }
}
