import type { PayloadReader } from "../link/reader.ts";
import type { NodeId } from "../node-id.ts";
import { Cast } from "./kinds.ts";
import type { Question } from "./questions.ts";
import { decodeValues, readPacket } from "./wire.ts";

/** What a broadcast is told about the answers of its receivers. */
export interface AckListener {
  /**
   * @param clients - how many clients have been reached; negative if some of them will not answer
   * @param servers - how many servers report this; 0 if they have reported before
   */
  onClients(clients: number, servers: number): void;
  onAck(answer: unknown): void;
  onTimeout(): void;
}

/** Counts the answers of clients to a broadcast, of all other nodes: each says first how many clients it has reached. */
export class AckCount implements Question {
  /** How many answers of each node are missing; undefined until it has said how many there will be. */
  readonly #missing: Map<NodeId, number | undefined> = new Map();
  readonly #listener: AckListener;

  constructor(nodes: Iterable<NodeId>, listener: AckListener) {
    for (const node of nodes) this.#missing.set(node, undefined);
    this.#listener = listener;
  }

  onReply(from: NodeId, kind: number, reader: PayloadReader): boolean {
    if (!this.#missing.has(from)) return false;
    const missing = this.#missing.get(from);
    if (kind === Cast.REACHED && missing === undefined) {
      const clients = reader.u32();
      this.#expect(from, clients);
      this.#listener.onClients(clients, 1);
    } else if (kind === Cast.ACK && missing !== undefined) {
      const [answer] = decodeValues(readPacket(reader));
      this.#expect(from, missing - 1);
      this.#listener.onAck(answer);
    }
    return this.#missing.size === 0;
  }

  #expect(from: NodeId, answers: number): void {
    if (answers > 0) this.#missing.set(from, answers);
    else this.#missing.delete(from);
  }

  onLeave(node: NodeId): boolean {
    if (!this.#missing.has(node)) return false;
    const missing = this.#missing.get(node);
    this.#missing.delete(node);
    if (missing === undefined) this.#listener.onClients(0, 1);
    else this.#listener.onClients(-missing, 0);
    return this.#missing.size === 0;
  }

  onTimeout(): void {
    this.#listener.onTimeout();
  }
}
