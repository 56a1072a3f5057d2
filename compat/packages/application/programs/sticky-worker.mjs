// A worker that receives its connections from the primary.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/cluster-adapter";
import { setupWorker } from "@socket.io/sticky";
import { Server } from "socket.io";
import { ready } from "./program.mjs";

const httpServer = createServer();
const io = new Server(httpServer, {
  adapter: createAdapter({ heartbeatInterval: 500, heartbeatTimeout: 2000 }),
  // data can get lost while the primary passes a connection; short timeouts make the client retry soon
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

// the primary listens, and reports the port to the test
httpServer.address = () => ({ port: 0 });
ready(httpServer, {
  pid: () => process.pid,
  serverCount: (namespace) => io.of(namespace).adapter.serverCount(),
});
