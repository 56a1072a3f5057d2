// What a server counts, once a second, for every page that looks on. PORT sets the port (3000).
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import express from "express";

const ROOMS = ["red", "green", "blue"];

const port = Number(process.env.PORT || 3000);
const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

const app = express();
app.use(express.static(folder("public")), express.static(folder("../shared")));
const httpServer = createServer(app);
// Messages, bytes and the delay of the event loop are counted with this option only.
const io = new Server(httpServer, { stats: true });

// The application: visitors in rooms who cheer.
io.on("connection", (socket) => {
  void socket.join(ROOMS[Math.floor(Math.random() * ROOMS.length)]);
  socket.on("cheer", () => {
    for (const room of socket.rooms) if (ROOMS.includes(room)) io.to(room).emit("cheer", socket.id);
  });
});

// The dashboard: a namespace of its own. In your application, a middleware lets only some people in.
const dashboard = io.of("/dashboard");

dashboard.on("connection", (socket) => {
  socket.emit("seen", look());
  socket.on("broadcast", (room, text) => {
    if (typeof text !== "string") return;
    const audience = ROOMS.includes(room) ? io.to(room) : io;
    audience.emit("news", text.slice(0, 200));
  });
});

setInterval(() => {
  if (dashboard.sockets.size > 0) dashboard.conflate("seen").emit("seen", look());
}, 1000);

/** What the page shows: the numbers, and how many are in each room. */
function look() {
  const { rooms } = io.of("/").adapter;
  return { stats: io.stats(), rooms: ROOMS.map((name) => ({ name, sockets: rooms.get(name)?.size ?? 0 })) };
}

httpServer.listen(port, () => console.log(`The dashboard is at http://localhost:${port}`));
