// Clients that receive numbered messages, and say how long those took and whether one is missing.

/** Where the parts of `42["stamped","00000001","0000000000000001",…` are. */
const STAMPED = { number: 14, time: 25 };
/** Where the number of `42["extra","00000001",…` is. */
const EXTRA = { number: 12 };
const NUMBER_LENGTH = 8;
const TIME_LENGTH = 16;
const LETTER_S = 0x73;

/** One client. */
export class Reader {
  /** Messages missing between two that came. */
  skipped = 0;
  closed = false;
  /** The next number of each kind. */
  stamped = 0;
  extra = 0;

  /**
   * @param {import("./connection.mjs").Connection} connection
   * @param {(µs: number) => void} onDelay
   */
  constructor(connection, onDelay) {
    this.connection = connection;
    connection.onFrame = (data, start) => {
      if (data[start + 4] === LETTER_S) {
        this.stamped = this.#count(data, start + STAMPED.number, this.stamped);
        const at = start + STAMPED.time;
        const sent = Number(data.toString("latin1", at, at + TIME_LENGTH));
        onDelay(Number(process.hrtime.bigint() / 1000n) - sent);
      } else {
        this.extra = this.#count(data, start + EXTRA.number, this.extra);
      }
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
   * @param {number} expected
   * @returns {number} the number after the one found
   */
  #count(data, at, expected) {
    const found = Number(data.toString("latin1", at, at + NUMBER_LENGTH));
    if (!(found >= expected)) this.connection.fail(`message ${found} came instead of ${expected}`);
    this.skipped += found - expected;
    return found + 1;
  }
}
