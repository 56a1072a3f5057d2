// The messages of a room, including those that are still being sent.
import { messageRow, markAs, startsGroup } from "./message-row.js";
import { byId, element, isAtEnd, scrollToEnd } from "./view.js";

/** Rows kept on the page. */
const LONGEST = 300;

export class Conversation {
  /** The people in the room, or those at the time the connection was lost. */
  people = [];
  /** Whether the server has sent the list of people since this page connected. */
  isLive = false;
  unread = 0;
  log = element("ol", { className: "log", id: "log", role: "log", ariaLive: "polite" });
  #room;
  #wire;
  #rows = new Map();
  #last;
  /** Own messages without an answer, in order. */
  #waiting = new Map();
  /** Who has an own message, by its id, and how many others were in the room when it was sent. */
  #receipts = new Map();
  #sending = new Set();

  constructor(room, wire) {
    this.#room = room;
    this.#wire = wire;
    wire.on("disconnect", this.#disconnected);
  }

  get isEmpty() {
    return this.#rows.size === 0;
  }

  /** Shows a message unless it is shown already, which happens after a reconnection. */
  add(message) {
    if (this.#rows.has(message.id)) return;
    const mine = message.from.id === this.#wire.socketId;
    this.#append(message, mine);
  }

  /** Shows an own message and sends it, now or after the next connection. */
  say(text, image) {
    // Unlike randomUUID, this also works over plain HTTP.
    const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
    const message = { id, room: this.#room, text };
    if (image) message.image = image;
    this.#append(
      { ...message, from: { id: this.#wire.socketId, nick: this.#wire.nick }, at: Date.now() },
      true,
    );
    this.toEnd();
    this.#waiting.set(id, message);
    this.#send(message);
  }

  /** Sends unanswered messages again. Call it after the page has joined the room again. */
  sendWaiting() {
    for (const message of this.#waiting.values()) this.#send(message);
  }

  /** Somebody else has an own message. */
  received(id, by) {
    if (!this.#rows.has(id)) return;
    this.#receipt(id).by.add(by);
    this.#mark(id);
  }

  toEnd() {
    scrollToEnd(byId("scroll"));
  }

  /** Releases everything. */
  end() {
    this.#wire.off("disconnect", this.#disconnected);
    this.#waiting.clear();
    for (const row of this.#rows.values()) row.release();
  }

  #disconnected = () => {
    this.#sending.clear();
    for (const id of this.#waiting.keys()) markAs(this.#rows.get(id), "waiting");
  };

  #send(message) {
    const row = this.#rows.get(message.id);
    if (!this.#wire.isOpen) return markAs(row, "waiting");
    if (this.#sending.has(message.id)) return;
    this.#sending.add(message.id);
    markAs(row, "sending");
    this.#wire.ask("message", message, (reply) => {
      this.#sending.delete(message.id);
      // No answer: the message stays in the queue. If it did arrive, the server recognizes its id.
      if (!reply) return markAs(row, "waiting");
      this.#waiting.delete(message.id);
      if (!reply.ok) return markAs(row, "refused", reply.error);
      this.#receipt(message.id).others = reply.others;
      this.#mark(message.id);
    });
  }

  #receipt(id) {
    if (!this.#receipts.has(id)) this.#receipts.set(id, { by: new Set(), others: undefined });
    return this.#receipts.get(id);
  }

  #mark(id) {
    const row = this.#rows.get(id);
    const { by, others } = this.#receipt(id);
    // Somebody may have it before the server's answer is here.
    if (others === undefined) return;
    if (by.size === 0) markAs(row, "sent");
    else markAs(row, by.size >= others ? "delivered" : "partly", by.size, others);
  }

  #append(message, mine) {
    const atEnd = isAtEnd(byId("scroll"));
    const row = messageRow(message, mine, startsGroup(this.#last, message));
    this.#last = message;
    this.#rows.set(message.id, row);
    this.log.append(row.item);
    if (this.#rows.size > LONGEST) this.#dropFirst();
    if (!atEnd || !this.log.isConnected) return;
    this.toEnd();
    row.whenSized(() => this.toEnd());
  }

  #dropFirst() {
    const [id, row] = this.#rows.entries().next().value;
    if (this.#waiting.has(id)) return;
    this.#rows.delete(id);
    this.#receipts.delete(id);
    row.release();
    row.item.remove();
  }
}
