// The application of every server with the Socket.IO API; floor.mjs does the same by hand.
import { microseconds, payload } from "./payload.mjs";
import { eachInItsTurn } from "./turns.mjs";

// One function for all sockets, so that an idle connection does not include memory of this application.

function echo(value) {
  this.emit("echo", value);
}

function ask(value, reply) {
  reply(value);
}

export function application(io) {
  /** The first socket of each room. @type {Map<string, any>} */
  const leaders = new Map();

  io.on("connection", (socket) => {
    socket.on("echo", echo);
    socket.on("ask", ask);
  });

  /** The number of disconnected sockets by reason and code. */
  const ends = {};
  let answered = 0;
  /** @type {ReturnType<typeof import("./inspection.mjs").inspection> | undefined} */
  let steps;

  io.of(/^\/dynamic-\d+$/).on("connection", (socket) => {
    socket.on("echo", (value) => socket.emit("echo", value));
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
    /** Emits messages `from` to `from + count - 1` to everyone, all in this tick. */
    news(from, count) {
      for (let n = from; n < from + count; n++) io.emit("news", payload(n));
    },

    /** Emits messages `from` to `from + count - 1` to everyone, each in a tick of its own. */
    newsInTurns(from, count) {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      eachInItsTurn(numbers, (n) => io.emit("news", payload(n)));
    },

    /** From now on, new sockets can join rooms. */
    openRooms() {
      io.on("connection", (socket) => {
        socket.on("join", (room, reply) => {
          socket.join(room);
          if (!leaders.has(room)) leaders.set(room, socket);
          reply("ok");
        });
      });
    },

    /** From now on, new sockets can ask for work that takes `time` µs. */
    openWork(time) {
      io.on("connection", (socket) => {
        socket.on("work", (value) => {
          const end = performance.now() + time / 1000;
          while (performance.now() < end);
          socket.emit("worked", value);
        });
      });
    },

    /** Emits message `n` to each room, all in this tick. */
    roomNews(pick, n) {
      const receivers = picks[pick];
      for (const room of leaders.keys()) receivers(room).emit("news", payload(n));
    },

    /** Emits message `n` to each room, one room per tick. */
    roomTurns(n) {
      eachInItsTurn([...leaders.keys()], (room) => io.to(room).emit("news", payload(n)));
    },

    /** Emits message `n` to pairs of rooms, all in this tick. */
    pairNews(n) {
      const rooms = [...leaders.keys()];
      for (let i = 0; i + 1 < rooms.length; i += 2)
        io.to(rooms[i])
          .to(rooms[i + 1])
          .emit("news", payload(n));
    },

    // For the workloads of scale and of slow readers:

    namespaces: () => io._nsps.size,
    connected: () => Math.max(io.sockets.sockets.size, io.engine.clientsCount ?? 0),

    /** Asks every socket `count` questions, each with a timeout of `timeout` ms unless that is 0. */
    question(count, timeout) {
      for (const socket of io.sockets.sockets.values()) {
        for (let i = 0; i < count; i++) {
          const emitter = timeout > 0 ? socket.timeout(timeout) : socket;
          emitter.emit("question", i, () => void answered++);
        }
      }
    },

    /** The number of answers since the last call. */
    answered() {
      const count = answered;
      answered = 0;
      return count;
    },

    /** Emits a text of `bytes` to everyone. */
    large: (bytes) => void io.emit("large", "x".repeat(bytes)),

    /**
     * Emits message `n` to everyone: its number, the time, and a text of `bytes`.
     */
    stamped(n, bytes) {
      const now = String(microseconds()).padStart(16, "0");
      io.emit("stamped", String(n).padStart(8, "0"), now, "x".repeat(bytes));
    },

    /** Emits a volatile message of `bytes` to a room. */
    fill: (room, bytes) => void io.to(room).volatile.emit("filling", "x".repeat(bytes)),

    /** From now on, counts disconnects of the sockets that are connected now. */
    watchEnds() {
      for (const socket of io.sockets.sockets.values()) {
        socket.on("disconnect", (reason, description) => {
          const { code } = /** @type {{ code?: string }} */ (/** @type {unknown} */ (description ?? {}));
          const end = code === undefined ? reason : `${reason}, ${code}`;
          ends[end] = (ends[end] ?? 0) + 1;
        });
      }
    },
    ends: () => ends,

    /** Does what the inspector does once a second, and returns how long that takes, in ms. */
    async inspect(step) {
      steps ??= (await import("./inspection.mjs")).inspection(io);
      const start = performance.now();
      steps[step]?.();
      return performance.now() - start;
    },
  };
}
