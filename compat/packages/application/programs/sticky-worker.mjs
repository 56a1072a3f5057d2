// A worker that gets its connections from the primary.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/cluster-adapter";
import { setupWorker } from "@socket.io/sticky";
import { Server } from "socket.io";
import { ready } from "./program.mjs";

const httpServer = createServer();
const io = new Server(httpServer, {
  adapter: createAdapter({ heartbeatInterval: 500, heartbeatTimeout: 2000 }),
  // What is lost while a connection is handed over is found missing soon, and the client tries again.
  connectTimeout: 2000,
  pingInterval: 2000,
  pingTimeout: 3000,
});
setupWorker(io);

io.on("connection", (socket) => {
  socket.on("worker", (reply) => reply(process.pid));
  socket.on("length", (data, reply) => reply(data.length));
  socket.on("shout", (...args) => io.emit(...args));
});

// It listens nowhere: the primary does, and tells the test where.
httpServer.address = () => ({ port: 0 });
ready(httpServer, {
  pid: () => process.pid,
  serverCount: (namespace) => io.of(namespace).adapter.serverCount(),
});
