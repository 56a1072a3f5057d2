// Typing hints: sends ours, and shows those of others.
import { byId } from "./view.js";

/** Hints are repeated while someone types, and expire otherwise; in ms. */
const REPEAT = 2000;
const LASTS = 4500;

export class Typing {
  #wire;
  #toldAt = 0;
  #shown = "";
  /** Timers of the people who are typing, by room and id, with their nickname. */
  #others = new Map();

  constructor(wire) {
    this.#wire = wire;
    wire.on("typing", ({ room, from, on }) => {
      if (on) this.#started(room, from);
      else this.stopped(room, from.id);
    });
    wire.on("disconnect", () => this.#forget());
  }

  /** Sends a hint to `room` that this person is typing, or has stopped. */
  typed(room, on) {
    const now = Date.now();
    if (on ? now - this.#toldAt < REPEAT : this.#toldAt === 0) return;
    this.#toldAt = on ? now : 0;
    this.#wire.mention("typing", { room, on });
  }

  /** Shows who is typing in `room`, the new current room. */
  show(room) {
    if (room !== this.#shown) this.typed(this.#shown, false);
    this.#shown = room;
    this.#draw();
  }

  stopped(room, id) {
    const key = `${room} ${id}`;
    clearTimeout(this.#others.get(key)?.timer);
    if (this.#others.delete(key)) this.#draw();
  }

  #started(room, { id, nick }) {
    const key = `${room} ${id}`;
    clearTimeout(this.#others.get(key)?.timer);
    this.#others.set(key, { room, nick, timer: setTimeout(() => this.stopped(room, id), LASTS) });
    this.#draw();
  }

  /** Clears all hints, because without a connection they are not updated. */
  #forget() {
    for (const { timer } of this.#others.values()) clearTimeout(timer);
    this.#others.clear();
    this.#toldAt = 0;
    this.#draw();
  }

  #draw() {
    const names = [...this.#others.values()]
      .filter(({ room }) => room === this.#shown)
      .map(({ nick }) => nick);
    const [first, second] = names;
    let text = "";
    if (names.length === 1) text = `${first} is typing`;
    else if (names.length === 2) text = `${first} and ${second} are typing`;
    else if (names.length > 2) text = "Several people are typing";
    if (byId("typing").textContent !== text) byId("typing").textContent = text;
  }
}
