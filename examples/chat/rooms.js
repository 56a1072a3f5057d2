// The people and recent messages of each room, in memory, within limits.
import { limits } from "./limits.js";
import { Refusal } from "./validate.js";

const ALWAYS_THERE = ["lobby", "engineering", "weekend"];

export class Rooms {
  #rooms = new Map();
  /** Messages whose image is kept, the oldest first. */
  #withImage = [];

  constructor() {
    for (const name of ALWAYS_THERE) this.#open(name);
  }

  /** Every room with the number of people in it, in the order of creation. */
  list() {
    return [...this.#rooms.values()].map((room) => ({ name: room.name, people: room.people.size }));
  }

  people(name) {
    const room = this.#rooms.get(name);
    return room ? [...room.people].map(([id, nick]) => ({ id, nick })) : [];
  }

  history(name) {
    return this.#rooms.get(name)?.history ?? [];
  }

  has(name, id) {
    return this.#rooms.get(name)?.people.has(id) ?? false;
  }

  roomsOf(id) {
    return [...this.#rooms.values()].filter((room) => room.people.has(id)).map((room) => room.name);
  }

  enter(name, id, nick) {
    if (!this.has(name, id) && this.roomsOf(id).length >= limits.roomsPerPerson) {
      throw new Refusal(`You are in ${limits.roomsPerPerson} rooms: leave one first.`);
    }
    const room = this.#rooms.get(name) ?? this.#open(name);
    room.people.set(id, nick);
  }

  leave(name, id) {
    return this.#rooms.get(name)?.people.delete(id) ?? false;
  }

  find(name, messageId) {
    return this.history(name).find((message) => message.id === messageId);
  }

  remember(message) {
    const history = this.history(message.room);
    history.push(message);
    if (history.length > limits.history) history.shift();
    if (!message.image) return;
    this.#withImage.push(message);
    // Keep the message without its image.
    if (this.#withImage.length > limits.images) delete this.#withImage.shift().image.data;
  }

  #open(name) {
    if (this.#rooms.size >= limits.rooms) this.#forgetAnEmptyRoom();
    const room = { name, people: new Map(), history: [] };
    this.#rooms.set(name, room);
    return room;
  }

  #forgetAnEmptyRoom() {
    for (const room of this.#rooms.values()) {
      if (room.people.size > 0 || ALWAYS_THERE.includes(room.name)) continue;
      this.#rooms.delete(room.name);
      return;
    }
    throw new Refusal(`There are ${limits.rooms} rooms already.`);
  }
}
