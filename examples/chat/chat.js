// The chat: its events. It needs a Socket.IO server, and is independent of ports and hosts.
import { limits } from "./limits.js";
import { Rooms } from "./rooms.js";
import { image, messageId, messageText, nickname, Refusal, roomName } from "./validate.js";

/** How long the others in a room may take to confirm a message, in ms. */
const CONFIRM_WITHIN = 10_000;

/** Every socket is in a room named by its id; the prefix separates our rooms from those. */
const channel = (name) => `room:${name}`;

/** Runs the chat on the main namespace of a Socket.IO server. */
export function chat(io) {
  const rooms = new Rooms();

  io.use((socket, next) => {
    try {
      socket.data.nick = nickname(socket.handshake.auth?.nick);
      next();
    } catch (error) {
      next(error);
    }
  });

  io.on("connection", (socket) => {
    const me = { id: socket.id, nick: socket.data.nick };
    socket.emit("welcome", { me, limits, rooms: rooms.list() });

    answer(socket, "join", async ({ room }) => {
      const name = roomName(room);
      rooms.enter(name, me.id, me.nick);
      await socket.join(channel(name));
      tellWhoIsHere(name);
      return { room: name, people: rooms.people(name), history: rooms.history(name) };
    });

    answer(socket, "leave", async ({ room }) => {
      const name = roomName(room);
      await socket.leave(channel(name));
      if (rooms.leave(name, me.id)) tellWhoIsHere(name);
    });

    answer(socket, "message", (sent) => {
      const room = roomName(sent.room);
      if (!rooms.has(room, me.id)) throw new Refusal("Join the room first.");
      const id = messageId(sent.id);
      // A page that lost the answer sends the message again after it reconnects. It gets the answer; the room gets no second copy.
      const known = rooms.find(room, id);
      if (known) return { at: known.at };

      const message = {
        id,
        room,
        from: me,
        text: messageText(sent.text, sent.image !== undefined),
        at: Date.now(),
      };
      if (sent.image !== undefined) message.image = image(sent.image);
      rooms.remember(message);
      const others = rooms.people(room).length - 1;
      if (others > 0) {
        socket
          .to(channel(room))
          .timeout(CONFIRM_WITHIN)
          .emit("message", message, (_late, confirmed) => {
            socket.emit("delivered", { room, id, people: confirmed.length, of: others });
          });
      }
      return { at: message.at };
    });

    answer(socket, "typing", ({ room, on }) => {
      const name = roomName(room);
      if (!rooms.has(name, me.id)) return;
      socket.volatile.to(channel(name)).emit("typing", { room: name, from: me, on: on === true });
    });

    // The page measures the round trip with this.
    socket.on("pulse", (ack) => {
      if (typeof ack === "function") ack();
    });

    socket.on("disconnect", () => {
      for (const name of rooms.roomsOf(me.id)) {
        rooms.leave(name, me.id);
        tellWhoIsHere(name);
      }
    });
  });

  function tellWhoIsHere(name) {
    io.to(channel(name)).emit("people", { room: name, people: rooms.people(name) });
    io.emit("rooms", rooms.list());
  }
}

/** Answers `event` with the result of `handle`, or with the message of its refusal. */
function answer(socket, event, handle) {
  socket.on(event, async (payload, ack) => {
    const reply = typeof ack === "function" ? ack : () => {};
    try {
      if (payload === null || typeof payload !== "object") throw new Refusal("That was not understood.");
      reply({ ok: true, ...(await handle(payload)) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply({ ok: false, error: error.message });
    }
  });
}
