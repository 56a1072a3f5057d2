// Clients that receive numbered messages, and say how long those took and whether one is missing. Others are not counted.
import { microseconds } from "../harness/clock.mjs";

/** Where the parts of `42["stamped","00000001","0000000000000001",…` are. */
const STAMPED = { number: 14, time: 25 };
const NUMBER_LENGTH = 8;
const TIME_LENGTH = 16;
const LETTER_S = 0x73;

/** One client. */
export class Reader {
  /** Messages missing between two that came. */
  skipped = 0;
  closed = false;
  /** The next number. */
  next = 0;

  /**
   * @param {import("./connection.mjs").Connection} connection
   * @param {(µs: number) => void} onDelay
   */
  constructor(connection, onDelay) {
    this.connection = connection;
    connection.onFrame = (data, start) => {
      if (data[start + 4] !== LETTER_S) return;
      this.#count(data, start + STAMPED.number);
      const at = start + STAMPED.time;
      const sent = Number(data.toString("latin1", at, at + TIME_LENGTH));
      onDelay(microseconds() - sent);
    };
  }

  /** From now on its end is no failure. */
  mayEnd() {
    this.connection.onEnd = () => {
      this.closed = true;
    };
  }

  /**
   * @param {Buffer} data
   * @param {number} at
   */
  #count(data, at) {
    const found = Number(data.toString("latin1", at, at + NUMBER_LENGTH));
    if (!(found >= this.next)) this.connection.fail(`message ${found} came instead of ${this.next}`);
    this.skipped += found - this.next;
    this.next = found + 1;
  }
}
