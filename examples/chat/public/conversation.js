// What was said in one room, and what of ours is still on its way there.
import { messageRow, markAs, startsGroup } from "./message-row.js";
import { byId, element, isAtEnd, scrollToEnd } from "./view.js";

/** Rows kept on the page. */
const LONGEST = 300;

export class Conversation {
  /** Who is here, or was when the connection was lost. */
  people = [];
  /** Whether the server has said who is here since this page connected. */
  isLive = false;
  unread = 0;
  log = element("ol", { className: "log", id: "log", role: "log", ariaLive: "polite" });
  #room;
  #wire;
  #rows = new Map();
  #last;
  /** Ours without an answer yet, in the order written. */
  #waiting = new Map();
  #sending = new Set();

  constructor(room, wire) {
    this.#room = room;
    this.#wire = wire;
    wire.on("disconnect", this.#disconnected);
  }

  get isEmpty() {
    return this.#rows.size === 0;
  }

  /** Shows a message unless it is shown already, as after a reconnection. */
  add(message) {
    if (this.#rows.has(message.id)) return;
    const mine = message.from.id === this.#wire.socketId;
    this.#append(message, mine);
  }

  /** Shows what this person wrote and sends it, now or once there is a connection. */
  say(text, image) {
    // Unlike randomUUID, this also works on a page that came over plain HTTP.
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

  /** Sends again all that had no answer. To be called when this page is in the room again. */
  sendWaiting() {
    for (const message of this.#waiting.values()) this.#send(message);
  }

  delivered(id, people, of) {
    const row = this.#rows.get(id);
    if (row && people > 0) markAs(row, people === of ? "delivered" : "partly", people, of);
  }

  toEnd() {
    scrollToEnd(byId("scroll"));
  }

  /** Lets go of everything. */
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
      // No answer: it stays in line, and the server knows it by its id if it did arrive.
      if (!reply) return markAs(row, "waiting");
      this.#waiting.delete(message.id);
      if (!reply.ok) return markAs(row, "refused", reply.error);
      if (row.state !== "delivered" && row.state !== "partly") markAs(row, "sent");
    });
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
    row.release();
    row.item.remove();
  }
}
