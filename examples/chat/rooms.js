// The rooms: the people in them, as the sockets of all workers know, and their recent messages, which each worker keeps.
import { limits } from "./limits.js";
import { Refusal } from "./validate.js";

const ALWAYS_THERE = ["lobby", "engineering", "weekend"];
const PREFIX = "room:";

/** Every socket is in a room named by its id; the prefix separates our rooms from those. */
export const channel = (name) => PREFIX + name;

/** The rooms of the chat that a socket is in. */
export const roomsOf = ({ rooms }) =>
  [...rooms].filter((room) => room.startsWith(PREFIX)).map((room) => room.slice(PREFIX.length));

export class Rooms {
  #io;
  /** The recent messages of each room, in the order of creation. */
  #histories = new Map(ALWAYS_THERE.map((name) => [name, []]));
  /** Messages whose image is kept, the oldest first. */
  #withImage = [];

  constructor(io) {
    this.#io = io;
    io.on("remember", (message) => this.#keep(message));
    io.on("recall", (answer) => answer([...this.#histories.values()].flat()));
    // A worker that starts asks one of the others what was said.
    io.cluster?.once("ready", () => void this.#recall());
  }

  names() {
    return [...this.#histories.keys()];
  }

  /** Every room with the number of people in it, in the order of creation. */
  async list() {
    const counts = new Map();
    for (const socket of await this.#io.fetchSockets()) {
      for (const name of roomsOf(socket)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // Those that other workers have opened.
    for (const name of counts.keys()) this.#open(name);
    return this.names().map((name) => ({ name, people: counts.get(name) ?? 0 }));
  }

  async people(name) {
    const sockets = await this.#io.in(channel(name)).fetchSockets();
    return sockets.map(({ id, data }) => ({ id, nick: data.nick }));
  }

  history(name) {
    return this.#histories.get(name) ?? [];
  }

  find(name, messageId) {
    return this.history(name).find((message) => message.id === messageId);
  }

  async enter(socket, name) {
    const rooms = roomsOf(socket);
    if (!rooms.includes(name) && rooms.length >= limits.roomsPerPerson) {
      throw new Refusal(`You are in ${limits.roomsPerPerson} rooms: leave one first.`);
    }
    if (!this.#histories.has(name) && this.#histories.size >= limits.rooms) await this.#forgetAnEmptyRoom();
    this.#open(name);
    await socket.join(channel(name));
  }

  /** Keeps a message, in all workers. Returns false if it is known already. */
  remember(message) {
    if (!this.#keep(message)) return false;
    if (this.#io.cluster) this.#io.serverSideEmit("remember", message);
    return true;
  }

  #keep(message) {
    if (this.find(message.room, message.id)) return false;
    const history = this.#open(message.room);
    history.push(message);
    if (history.length > limits.history) history.shift();
    if (message.image?.data) this.#withImage.push(message);
    // Keep the message without its image.
    if (this.#withImage.length > limits.images) delete this.#withImage.shift().image.data;
    return true;
  }

  async #recall() {
    try {
      const [messages = []] = await this.#io.serverSideEmitWithAck("recall");
      for (const message of messages) this.#keep(message);
    } catch (error) {
      console.error(`Nobody has told what was said before: ${error.message}`);
    }
  }

  #open(name) {
    if (!this.#histories.has(name)) this.#histories.set(name, []);
    return this.#histories.get(name);
  }

  async #forgetAnEmptyRoom() {
    for (const { name, people } of await this.list()) {
      if (people > 0 || ALWAYS_THERE.includes(name)) continue;
      this.#histories.delete(name);
      return;
    }
    throw new Refusal(`There are ${limits.rooms} rooms already.`);
  }
}
