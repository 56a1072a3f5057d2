/**
 * The overhead of a packet that waits, in bytes: its objects and its places in lists. Without it, millions of empty packets would
 * count for nothing.
 */
export const PACKET_OVERHEAD = 128;

/**
 * Counts what waits for a client whose transport takes nothing now. It exists only while something waits.
 *
 * The oldest burst, which is everything that one turn of the event loop has left waiting, is not held against the client: nobody
 * can read before something is sent. Neither is what the current turn has added.
 */
export class Backlog {
  /** The turn of the oldest burst. */
  readonly #oldest: number;
  #oldestBytes = 0;
  /** Bytes behind the oldest burst. */
  #behind = 0;
  #turn: number;
  /** Bytes behind the oldest burst when that turn began. */
  #behindBefore = 0;
  /** Bytes of answers that the host has given by itself. */
  #answers = 0;

  /** @param turn - the current turn of the event loop */
  constructor(turn: number) {
    this.#oldest = turn;
    this.#turn = turn;
  }

  /**
   * Returns how many bytes wait.
   *
   * @param held - bytes that the host holds, among them its own answers
   */
  total(held: number): number {
    return Math.max(held, this.#answers) + this.#oldestBytes + this.#behind;
  }

  /**
   * Adds a packet.
   *
   * @returns how many bytes are held against the client
   */
  add(bytes: number, turn: number): number {
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#behindBefore = this.#behind;
    }
    if (turn === this.#oldest) this.#oldestBytes += bytes + PACKET_OVERHEAD;
    else this.#behind += bytes + PACKET_OVERHEAD;
    return this.#behindBefore;
  }

  /**
   * Forgets a packet that waits no more.
   *
   * @returns how many bytes are held against the client
   */
  remove(bytes: number): number {
    const size = bytes + PACKET_OVERHEAD;
    const behind = Math.min(this.#behind, size);
    this.#behind -= behind;
    this.#oldestBytes = Math.max(0, this.#oldestBytes - (size - behind));
    this.#behindBefore = Math.min(this.#behind, Math.max(0, this.#behindBefore - behind));
    return this.#behindBefore;
  }

  /**
   * Adds an answer of the host, such as a pong. The client has asked for it, so it counts at once.
   *
   * @returns how many bytes of answers wait
   */
  addAnswer(bytes: number): number {
    return (this.#answers += bytes + PACKET_OVERHEAD);
  }
}
