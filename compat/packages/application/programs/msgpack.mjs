// A server with the MessagePack parser.
import parser from "socket.io-msgpack-parser";
import { listen, ready } from "./program.mjs";

const io = await listen({ parser });

for (const namespace of [io.of("/"), io.of("/orders")]) {
  namespace.on("connection", (socket) => {
    socket.on("echo", (...args) => socket.emit("echo", ...args));
    socket.on("ask", (value, reply) => reply(value, socket.handshake.auth));
    socket.on("join", (room, reply) => {
      void socket.join(room);
      reply();
    });
  });
}
io.of("/private").use((socket, next) => {
  next(Object.assign(new Error("no entry"), { data: { code: 7, bytes: Buffer.from([1]) } }));
});

ready(io.httpServer, {
  broadcast: (room, ...args) => void io.to(room).emit(...args),
  question: (...args) => io.timeout(10_000).emitWithAck(...args),
});
