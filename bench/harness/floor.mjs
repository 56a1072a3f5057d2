// What the floors on both hosts share: the protocol by hand, JSON of every event, and one small object per connection.
// They have one namespace, and check nothing.
import { payload } from "./payload.mjs";
import { eachInItsTurn } from "./turns.mjs";

/** Codes of the first characters of Engine.IO and Socket.IO packets. */
const [PING, PONG, MESSAGE, UPGRADE] = [50, 51, 52, 53];
const [CONNECT, EVENT, BINARY_EVENT] = [48, 50, 53];

const PING_TIMEOUT = 20_000;
const RECORD_SEPARATOR = "\x1e";

/** The topic of all sessions. */
const EVERYONE = "everyone";

/** The only object of a connection. */
export class Session {
  /** The WebSocket, once there is one. */
  socket = undefined;
  /** Pings since the last pong. */
  unanswered = 0;
  /** The text of a binary event that waits for its attachment. */
  head = "";

  /** @param pingAt when the next ping is due, in ms */
  constructor(id, pingAt) {
    this.id = id;
    this.pingAt = pingAt;
  }
}

/** A session that starts on long-polling. */
export class PollingSession extends Session {
  /** The response to the pending GET. */
  poll = undefined;
  /** Packets for the next GET. */
  queue = "";
}

const news = (n) => Buffer.from("42" + JSON.stringify(["news", payload(n)]));

export class Floor {
  /** With a WebSocket, in the order of their pings. @type {Set<Session>} */
  sessions = new Set();
  /** @type {Map<string, PollingSession>} */
  polling = new Map();
  /** @type {Map<string, Set<Session>>} */
  rooms = new Map();
  /** Sessions whose GET is to be answered in this tick. @type {PollingSession[]} */
  #toAnswer = [];
  #ids = 0;
  /** Messages of this tick to everyone. @type {Buffer[]} */
  #outbox = [];
  #pingInterval;
  #send;
  #sendAll;
  #answer;
  #topics;

  /**
   * @param {any} host `pingInterval` in ms, functions that write, and `topics` if broadcasts publish to topics of the host
   *   instead of looping over the sessions
   */
  constructor({ pingInterval = 25_000, send, sendAll, answer, close, topics }) {
    this.#pingInterval = pingInterval;
    this.#send = send;
    this.#sendAll = sendAll;
    this.#answer = answer;
    this.#topics = topics;
    setInterval(() => this.#ping(close), pingInterval / 50);
  }

  #nextId() {
    return String(++this.#ids).padStart(20, "0");
  }

  open() {
    return new Session(this.#nextId(), Date.now() + this.#pingInterval);
  }

  openPolling() {
    const session = new PollingSession(this.#nextId(), Date.now() + this.#pingInterval);
    this.polling.set(session.id, session);
    return session;
  }

  handshake(session, upgrades) {
    const open = { sid: session.id, upgrades, pingInterval: this.#pingInterval, pingTimeout: PING_TIMEOUT };
    return "0" + JSON.stringify({ ...open, maxPayload: 1e6 });
  }

  /** The session has a WebSocket now. */
  join(session, socket) {
    session.socket = socket;
    this.sessions.add(session);
    this.#topics?.subscribe(socket, EVERYONE);
  }

  leave(session) {
    this.sessions.delete(session);
    for (const room of this.rooms.values()) room.delete(session);
  }

  /** @returns the answer, "" for none */
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

  #onEvent(session, text) {
    const at = text.indexOf("[");
    const args = JSON.parse(text.slice(at));
    if (args[0] === "echo") return "42" + JSON.stringify(["echo", args[1]]);
    if (args[0] === "join") this.#joinRoom(args[1], session);
    return "43" + text.slice(2, at) + JSON.stringify([args[0] === "join" ? "ok" : args[1]]);
  }

  /** Handles the attachment of a binary event. The host sends it back after the returned text. */
  onBinary(session) {
    const [event, ...args] = JSON.parse(session.head.slice(4));
    session.head = "";
    return "451-" + JSON.stringify([event, ...args]);
  }

  #joinRoom(room, session) {
    if (!this.rooms.has(room)) this.rooms.set(room, new Set());
    this.rooms.get(room)?.add(session);
    this.#topics?.subscribe(session.socket, room);
  }

  /** Handles the packets of a POST. */
  onPost(session, body) {
    for (const packet of body.split(RECORD_SEPARATOR)) {
      const answer = this.onText(session, packet);
      if (answer !== "") this.reply(session, answer);
    }
  }

  /**
   * Answers the pending or the next GET after the handlers of this tick; during them, another connection uses the cork buffer
   * of uWebSockets.js.
   */
  reply(session, packet) {
    session.queue = session.queue === "" ? packet : session.queue + RECORD_SEPARATOR + packet;
    if (session.poll === undefined) return;
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

  /** Returns the body for a GET, or "" if it has to wait. */
  onGet(session, poll) {
    const { queue } = session;
    session.queue = "";
    if (queue === "") session.poll = poll;
    return queue;
  }

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

  /** Writes the messages of a tick to each connection, at once. */
  #flush() {
    const messages = this.#outbox;
    this.#outbox = [];
    for (const { socket } of this.sessions) if (socket !== undefined) this.#sendAll(socket, messages);
  }

  /** Sends to a room, except one session. */
  #sendTo(name, message, except) {
    if (this.#topics === undefined) this.#sendToRoom(this.rooms.get(name) ?? new Set(), message, except);
    else this.#topics.publish(name, message, except?.socket);
  }

  /** Sends to the sessions of a room, except one session and those in `done`. */
  #sendToRoom(room, message, except, done = new Set()) {
    for (const session of room) {
      if (session === except || session.socket === undefined || done.has(session)) continue;
      this.#send(session.socket, message);
    }
  }

  /** The actions of application.mjs. */
  actions() {
    const topics = this.#topics;
    return {
      news: (from, count) => {
        if (topics === undefined && this.#outbox.length === 0) setImmediate(() => this.#flush());
        for (let n = from; n < from + count; n++) {
          if (topics === undefined) this.#outbox.push(news(n));
          else topics.publish(EVERYONE, news(n));
        }
      },

      // Rooms are always open.
      openRooms() {},

      roomNews: (pick, n) => {
        for (const [name, room] of this.rooms) {
          const [leader] = room;
          this.#sendTo(name, news(n), pick === "to" ? undefined : leader);
        }
      },

      roomTurns: (n) => {
        eachInItsTurn([...this.rooms.keys()], (name) => this.#sendTo(name, news(n), undefined));
      },

      // Topics would reach those twice who are in both rooms.
      pairNews: (n) => {
        const rooms = [...this.rooms.values()];
        for (let i = 0; i + 1 < rooms.length; i += 2) {
          const message = news(n);
          this.#sendToRoom(rooms[i], message, undefined);
          this.#sendToRoom(rooms[i + 1], message, undefined, rooms[i]);
        }
      },
    };
  }
}
