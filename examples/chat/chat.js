// The chat: its events. It needs a Socket.IO server, and is independent of ports, hosts and the number of workers.
import { limits } from "./limits.js";
import { channel, Rooms, roomsOf } from "./rooms.js";
import { image, messageId, messageText, nickname, Refusal, roomName } from "./validate.js";

/**
 * Runs the chat on the main namespace of a Socket.IO server.
 *
 * @param worker - which process this is, for the status line of its pages; undefined if it is the only one
 */
export function chat(io, worker) {
  const rooms = new Rooms(io);

  io.use((socket, next) => {
    try {
      socket.data.nick = nickname(socket.handshake.auth?.nick);
      next();
    } catch (error) {
      next(error);
    }
  });

  io.on("connection", async (socket) => {
    const me = { id: socket.id, nick: socket.data.nick };

    answer(socket, "join", async ({ room }) => {
      const name = roomName(room);
      await rooms.enter(socket, name);
      tellWhoIsHere(name);
      return { room: name, people: await rooms.people(name), history: rooms.history(name) };
    });

    answer(socket, "leave", async ({ room }) => {
      const name = roomName(room);
      await socket.leave(channel(name));
      tellWhoIsHere(name);
    });

    answer(socket, "message", async (sent) => {
      const room = roomName(sent.room);
      if (!socket.rooms.has(channel(room))) throw new Refusal("Join the room first.");
      const id = messageId(sent.id);
      const message = rooms.find(room, id) ?? {
        id,
        room,
        from: me,
        text: messageText(sent.text, sent.image !== undefined),
        at: Date.now(),
        ...(sent.image === undefined ? {} : { image: image(sent.image) }),
      };
      // A page that lost the answer sends the message again after it reconnects. It gets the answer; the room gets no second copy.
      if (rooms.remember(message)) socket.to(channel(room)).emit("message", message);
      return { at: message.at, others: (await rooms.people(room)).length - 1 };
    });

    // A page has a message. Unlike an acknowledgement, this also works for messages that it gets after a recovery.
    answer(socket, "received", (receipt) => {
      const room = roomName(receipt.room);
      const message = rooms.find(room, messageId(receipt.id));
      if (!message || !socket.rooms.has(channel(room))) return;
      io.to(message.from.id).emit("received", { room, id: message.id, by: me.id });
    });

    answer(socket, "typing", ({ room, on }) => {
      const name = channel(roomName(room));
      if (!socket.rooms.has(name)) return;
      socket.volatile.to(name).emit("typing", { room: roomName(room), from: me, on: on === true });
    });

    // The page measures the round trip with this.
    socket.on("pulse", (ack) => {
      if (typeof ack === "function") ack();
    });

    let left = [];
    socket.on("disconnecting", () => (left = roomsOf(socket)));
    socket.on("disconnect", () => tellWhoIsHere(...left));

    // A socket that was recovered is in its rooms, and has got what it missed.
    if (socket.recovered) tellWhoIsHere(...roomsOf(socket));
    else socket.emit("welcome", { me, limits, rooms: await rooms.list(), worker: ownWorker() });
  });

  // A worker that dies says nothing.
  io.cluster?.on("leave", () => tellWhoIsHere(...rooms.names()));

  function ownWorker() {
    return worker && { ...worker, of: io.cluster.nodes.length };
  }

  function tellWhoIsHere(...names) {
    if (names.length > 0) tellNow(names).catch((error) => console.error(error.message));
  }

  async function tellNow(names) {
    for (const name of names) {
      const people = await rooms.people(name);
      // Of the lists that wait for a slow page, the newest is enough.
      io.to(channel(name)).conflate(`people ${name}`).emit("people", { room: name, people });
    }
    io.conflate("rooms").emit("rooms", await rooms.list());
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
      if (!(error instanceof Refusal)) console.error(error);
      reply({ ok: false, error: error instanceof Refusal ? error.message : "The server failed. Try again." });
    }
  });
}
