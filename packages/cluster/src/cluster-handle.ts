import { EventEmitter } from "node:events";
import type { Cluster, ClusterNode } from "@tidewire/server";

/** What the handle shows. */
interface Shown {
  readonly isReady: boolean;
  nodes(): readonly ClusterNode[];
}

/** The cluster as the application sees it: `io.cluster`. */
export class ClusterHandle extends EventEmitter implements Cluster {
  readonly #shown: Shown;

  constructor(shown: Shown) {
    super();
    this.#shown = shown;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#shown.nodes();
  }

  get ready(): boolean {
    return this.#shown.isReady;
  }
}
