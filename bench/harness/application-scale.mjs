// What the workloads of scale and of slow readers need beside application.mjs.
import { microseconds } from "./payload.mjs";

export function scaleActions(io) {
  /** How sockets ended, by reason and code. */
  const ends = {};
  let answered = 0;

  io.of(/^\/dynamic-\d+$/).on("connection", (socket) => {
    socket.on("echo", (value) => socket.emit("echo", value));
  });

  return {
    namespaces: () => io._nsps.size,
    connected: () => Math.max(io.sockets.sockets.size, io.engine.clientsCount ?? 0),

    /** Asks every socket `count` questions; each waits for its answer, for `timeout` ms unless that is 0. */
    question(count, timeout) {
      for (const socket of io.sockets.sockets.values()) {
        for (let i = 0; i < count; i++) {
          const emitter = timeout > 0 ? socket.timeout(timeout) : socket;
          emitter.emit("question", i, () => void answered++);
        }
      }
    },

    /** How many questions have been answered since this was last asked. */
    answered() {
      const count = answered;
      answered = 0;
      return count;
    },

    /** Emits a text of `bytes` to everyone. */
    large: (bytes) => void io.emit("large", "x".repeat(bytes)),

    /**
     * Emits message `n` to everyone: what it is, when it was sent, on a clock that all processes of a machine have in
     * common, and a text of `bytes`.
     */
    stamped(n, bytes) {
      const now = String(microseconds()).padStart(16, "0");
      io.emit("stamped", String(n).padStart(8, "0"), now, "x".repeat(bytes));
    },

    /** Emits a message of `bytes` to those in a room who take it at once. */
    fill: (room, bytes) => void io.to(room).volatile.emit("filling", "x".repeat(bytes)),

    /** From now on counts how the sockets that are connected now end. */
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
  };
}
