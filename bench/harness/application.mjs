// The application that every server with the Socket.IO API runs; floor.mjs does the same by hand.
import { scaleActions } from "./application-scale.mjs";
import { payload } from "./payload.mjs";

// Of all sockets: what an idle connection weighs is the server, not this application.

function echo(value) {
  this.emit("echo", value);
}

function ask(value, reply) {
  reply(value);
}

export function application(io) {
  /** The socket that was the first in its room. @type {Map<string, any>} */
  const leaders = new Map();

  io.on("connection", (socket) => {
    socket.on("echo", echo);
    socket.on("ask", ask);
  });

  /** Picks the receivers in a room. */
  const picks = {
    to: (room) => io.to(room),
    except: (room) => io.to(room).except(leaders.get(room)?.id ?? ""),
    socket(room) {
      const leader = leaders.get(room);
      if (leader === undefined) throw new Error(`nobody is in ${room}`);
      return leader.to(room);
    },
  };

  return {
    ...scaleActions(io),

    /** Emits messages `from` to `from + count - 1` to everyone, all in this tick. */
    news(from, count) {
      for (let n = from; n < from + count; n++) io.emit("news", payload(n));
    },

    /** Lets those who connect from now on join rooms. */
    openRooms() {
      io.on("connection", (socket) => {
        socket.on("join", (room, reply) => {
          socket.join(room);
          if (!leaders.has(room)) leaders.set(room, socket);
          reply("ok");
        });
      });
    },

    /** Emits message `n` to each room, all in this tick. */
    roomNews(pick, n) {
      const receivers = picks[pick];
      for (const room of leaders.keys()) receivers(room).emit("news", payload(n));
    },

    /** Emits message `n` to the rooms two by two, all in this tick. */
    pairNews(n) {
      const rooms = [...leaders.keys()];
      for (let i = 0; i + 1 < rooms.length; i += 2)
        io.to(rooms[i])
          .to(rooms[i + 1])
          .emit("news", payload(n));
    },
  };
}
