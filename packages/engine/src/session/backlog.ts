/**
 * What a packet that waits takes beside its data, in bytes: its objects, and its places in lists. Without it millions of empty
 * packets would count for nothing.
 */
export const PACKET_OVERHEAD = 128;

/**
 * How much waits for a client whose transport takes nothing now. There is one only while something waits.
 *
 * The oldest burst, all that one turn of the event loop has left waiting, is not held against the client: nobody can read
 * before it is sent to. Nor is what the turn under way has added.
 */
export class Backlog {
  /** The turn of the oldest burst. */
  readonly #oldest: number;
  #oldestBytes = 0;
  /** Bytes behind the oldest burst. */
  #behind = 0;
  #turn: number;
  /** What was behind the oldest burst when that turn began. */
  #behindBefore = 0;
  /** Bytes of what the host has answered by itself. */
  #answers = 0;

  /** @param turn - the turn of the event loop that is under way */
  constructor(turn: number) {
    this.#oldest = turn;
    this.#turn = turn;
  }

  /**
   * All that waits.
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
   * Adds an answer of the host, such as a pong. The client has asked for it, so that all of them count at once.
   *
   * @returns how many bytes of answers there are
   */
  addAnswer(bytes: number): number {
    return (this.#answers += bytes + PACKET_OVERHEAD);
  }
}
