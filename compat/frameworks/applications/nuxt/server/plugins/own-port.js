// Beside the program of the page: clients on a port of its own.
import { Server } from "socket.io";

export default defineNitroPlugin(() => {
  const io = new Server(Number(process.env.SOCKET_PORT), { host: "uws", cors: { origin: "*" } });
  io.on("connection", (socket) => {
    socket.on("hello", (answer) => answer("hello over Socket.IO"));
  });
});
