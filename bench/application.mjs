// The application that every server with the Socket.IO API runs; servers/floor-uws.mjs does the same by hand.
import { payload } from "./payload.mjs";

/**
 * @param {import("./types.d.ts").SocketIoServer} io
 * @returns {Record<string, import("./types.d.ts").Action>}
 */
export function application(io) {
  io.on("connection", (socket) => {
    socket.on("echo", (value) => socket.emit("echo", value));
    socket.on("ask", (value, reply) => reply(value));
  });

  return {
    /** Emits messages `from` to `from + count - 1` to everyone, all in this tick. */
    news(/** @type {number} */ from, /** @type {number} */ count) {
      for (let n = from; n < from + count; n++) io.emit("news", payload(n));
    },
  };
}
