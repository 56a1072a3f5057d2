// What the floors on both hosts share: the protocol by hand, JSON of every event, one small object per connection and
// nothing else. One root namespace, no check of anything.
import { payload } from "../../harness/payload.mjs";

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const PING = 50;
const PONG = 51;
const MESSAGE = 52;
const UPGRADE = 53;
const CONNECT = 48;
const EVENT = 50;
const BINARY_EVENT = 53;

const PING_TIMEOUT = 20_000;
const RECORD_SEPARATOR = "\x1e";

/**
 * The one object of a connection.
 *
 * @template S
 */
export class Session {
  /** @type {S | undefined} The WebSocket, once there is one. */
  socket = undefined;
  /** Pings since the last pong. */
  unanswered = 0;
  /** The text of a binary event whose attachment has not come. */
  head = "";

  /**
   * @param {string} id
   * @param {number} pingAt when the next ping is due, in ms
   */
  constructor(id, pingAt) {
    this.id = id;
    this.pingAt = pingAt;
  }
}

/**
 * A session over long-polling, at least to begin with.
 *
 * @template S, P
 * @extends {Session<S>}
 */
export class PollingSession extends Session {
  /** @type {P | undefined} The response to the GET that waits. */
  poll = undefined;
  /** Packets for the next GET. */
  queue = "";
}

/**
 * @template S type of a WebSocket
 * @template P type of the response to a GET
 */
export class Floor {
  /** With a WebSocket, in the order of their pings. @type {Set<Session<S>>} */
  sessions = new Set();
  /** @type {Map<string, PollingSession<S, P>>} */
  polling = new Map();
  /** @type {Map<string, Set<Session<S>>>} */
  rooms = new Map();
  /** Sessions whose GET is to be answered in this tick. @type {PollingSession<S, P>[]} */
  #toAnswer = [];
  #ids = 0;
  /** Messages of this tick to everyone. @type {Buffer[]} */
  #outbox = [];
  #pingInterval;
  #send;
  #sendAll;
  #answer;

  /**
   * @param {object} host
   * @param {number | undefined} host.pingInterval in ms
   * @param {(socket: S, message: string | Buffer) => void} host.send
   * @param {(socket: S, messages: Buffer[]) => void} host.sendAll
   * @param {(poll: P, payload: string) => void} host.answer
   * @param {(socket: S) => void} host.close
   */
  constructor({ pingInterval = 25_000, send, sendAll, answer, close }) {
    this.#pingInterval = pingInterval;
    this.#send = send;
    this.#sendAll = sendAll;
    this.#answer = answer;
    setInterval(() => this.#ping(close), pingInterval / 50);
  }

  #nextId() {
    return String(++this.#ids).padStart(20, "0");
  }

  /** @returns {Session<S>} */
  open() {
    return new Session(this.#nextId(), Date.now() + this.#pingInterval);
  }

  /** @returns {PollingSession<S, P>} */
  openPolling() {
    /** @type {PollingSession<S, P>} */
    const session = new PollingSession(this.#nextId(), Date.now() + this.#pingInterval);
    this.polling.set(session.id, session);
    return session;
  }

  /**
   * @param {Session<S>} session
   * @param {string[]} upgrades
   */
  handshake(session, upgrades) {
    return (
      "0" +
      JSON.stringify({
        sid: session.id,
        upgrades,
        pingInterval: this.#pingInterval,
        pingTimeout: PING_TIMEOUT,
        maxPayload: 1e6,
      })
    );
  }

  /** @param {Session<S>} session */
  leave(session) {
    this.sessions.delete(session);
    for (const room of this.rooms.values()) room.delete(session);
  }

  /**
   * @param {Session<S>} session
   * @param {string} text
   * @returns {string} the answer, "" for none
   */
  onText(session, text) {
    const type = text.charCodeAt(0);
    if (type === MESSAGE) {
      const packet = text.charCodeAt(1);
      if (packet === EVENT) return this.#onEvent(session, text);
      if (packet === CONNECT) return "40" + JSON.stringify({ sid: this.#nextId() });
      if (packet === BINARY_EVENT) session.head = text;
    } else if (type === PONG) {
      session.unanswered = 0;
    } else if (type === PING) {
      const polling = this.polling.get(session.id);
      if (polling !== undefined) this.reply(polling, "6");
      return "3probe";
    } else if (type === UPGRADE) {
      this.polling.delete(session.id);
    }
    return "";
  }

  /**
   * @param {Session<S>} session
   * @param {string} text
   */
  #onEvent(session, text) {
    let at = 2;
    let code = text.charCodeAt(at);
    while (code >= DIGIT_0 && code <= DIGIT_9) code = text.charCodeAt(++at);
    const args = JSON.parse(text.slice(at));
    if (args[0] === "echo") return "42" + JSON.stringify(["echo", args[1]]);
    if (args[0] === "join") this.#join(args[1], session);
    return "43" + text.slice(2, at) + JSON.stringify([args[0] === "join" ? "ok" : args[1]]);
  }

  /**
   * The attachment of a binary event has come; it goes back after the answer.
   *
   * @param {Session<S>} session
   * @returns {string}
   */
  onBinary(session) {
    const [event, ...args] = JSON.parse(session.head.slice(4));
    session.head = "";
    return "451-" + JSON.stringify([event, ...args]);
  }

  /**
   * @param {string} room
   * @param {Session<S>} session
   */
  #join(room, session) {
    const members = this.rooms.get(room);
    if (members) members.add(session);
    else this.rooms.set(room, new Set([session]));
  }

  /**
   * The packets of a POST.
   *
   * @param {PollingSession<S, P>} session
   * @param {string} body
   */
  onPost(session, body) {
    for (const packet of body.split(RECORD_SEPARATOR)) {
      const answer = this.onText(session, packet);
      if (answer !== "") this.reply(session, answer);
    }
  }

  /**
   * Answers the GET that waits, or the next one, when the handlers of this tick are done: inside of them
   * uWebSockets.js has lent its cork buffer to another connection.
   *
   * @param {PollingSession<S, P>} session
   * @param {string} packet
   */
  reply(session, packet) {
    session.queue = session.queue === "" ? packet : session.queue + RECORD_SEPARATOR + packet;
    if (session.poll !== undefined) this.#wake(session);
  }

  /** @param {PollingSession<S, P>} session */
  #wake(session) {
    if (this.#toAnswer.length === 0) setImmediate(() => this.#answerAll());
    this.#toAnswer.push(session);
  }

  #answerAll() {
    const sessions = this.#toAnswer;
    this.#toAnswer = [];
    for (const session of sessions) {
      const { poll, queue } = session;
      if (poll === undefined || queue === "") continue;
      session.poll = undefined;
      session.queue = "";
      this.#answer(poll, queue);
    }
  }

  /**
   * What a GET gets at once, or "" when it waits.
   *
   * @param {PollingSession<S, P>} session
   * @param {P} poll
   */
  onGet(session, poll) {
    const { queue } = session;
    session.queue = "";
    if (queue === "") session.poll = poll;
    return queue;
  }

  /** @param {(socket: S) => void} close */
  #ping(close) {
    const now = Date.now();
    for (const session of this.sessions) {
      if (now < session.pingAt || session.socket === undefined) return;
      if (session.unanswered++ * this.#pingInterval > PING_TIMEOUT) {
        close(session.socket);
        continue;
      }
      session.pingAt = now + this.#pingInterval;
      this.sessions.delete(session);
      this.sessions.add(session);
      this.#send(session.socket, "2");
    }
  }

  /** Once per tick each connection gets its messages, in one write. */
  #flush() {
    const messages = this.#outbox;
    this.#outbox = [];
    for (const { socket } of this.sessions) if (socket !== undefined) this.#sendAll(socket, messages);
  }

  /** @param {number} n */
  #message(n) {
    return Buffer.from("42" + JSON.stringify(["news", payload(n)]));
  }

  /**
   * @param {Set<Session<S>>} room
   * @param {Buffer} message
   * @param {Session<S> | undefined} except
   * @param {Set<Session<S>>} [done] who has it
   */
  #sendToRoom(room, message, except, done) {
    for (const session of room) {
      if (session === except || session.socket === undefined || done?.has(session)) continue;
      this.#send(session.socket, message);
    }
  }

  /** @returns {Record<string, import("../../types.d.ts").Action>} the same as those of application.mjs */
  actions() {
    return {
      news: (/** @type {number} */ from, /** @type {number} */ count) => {
        if (this.#outbox.length === 0) setImmediate(() => this.#flush());
        for (let n = from; n < from + count; n++) this.#outbox.push(this.#message(n));
      },

      // They are open always.
      openRooms() {},

      roomNews: (/** @type {string} */ pick, /** @type {number} */ n) => {
        for (const room of this.rooms.values()) {
          const [leader] = room;
          this.#sendToRoom(room, this.#message(n), pick === "to" ? undefined : leader);
        }
      },

      pairNews: (/** @type {number} */ n) => {
        const rooms = [...this.rooms.values()];
        for (let i = 0; i + 1 < rooms.length; i += 2) {
          const message = this.#message(n);
          this.#sendToRoom(rooms[i], message, undefined);
          this.#sendToRoom(rooms[i + 1], message, undefined, rooms[i]);
        }
      },
    };
  }
}
