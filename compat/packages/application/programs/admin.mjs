// A server for the admin page.
import { instrument } from "@socket.io/admin-ui";
import bcrypt from "bcryptjs";
import { given, listen, ready } from "./program.mjs";

const io = await listen({ cors: { origin: given.page, credentials: true } });
const password = bcrypt.hashSync("correct", 4);
instrument(io, {
  auth: given.password ? { type: "basic", username: "admin", password } : false,
  mode: given.mode ?? "development",
  serverId: "the server",
});

for (const namespace of [io.of("/"), io.of("/orders")]) {
  namespace.on("connection", (socket) => {
    socket.data.name = socket.handshake.auth.name;
    socket.on("join", (room, reply) => {
      void socket.join(room);
      reply();
    });
    socket.on("echo", (...args) => socket.emit("echo", ...args));
  });
}

ready(io.httpServer, {
  broadcast: (...args) => void io.emit(...args),
});
