// A race of boats: thirty frames a second for every player, however slowly they read. PORT sets the port (3000).
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import express from "express";
import { Sea } from "./sea.js";

const FRAMES_PER_SECOND = 30;
const SOCKET_ID = /^[\w-]{20}$/;

const port = Number(process.env.PORT || 3000);
const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

const app = express();
app.use(express.static(folder("public")), express.static(folder("../shared")));
const httpServer = createServer(app);
const io = new Server(httpServer);
const sea = new Sea();

io.on("connection", (socket) => {
  const { page } = socket.handshake.auth;
  // The second connection of a page only looks on, and reads slowly.
  if (SOCKET_ID.test(page)) return lookOn(socket, page);

  sea.enter(socket.id);
  socket.on("steer", (x, y) => sea.steer(socket.id, x, y));
  socket.on("disconnect", () => sea.leave(socket.id));
  void socket.join("newest");
});

function lookOn(socket, page) {
  void socket.join("newest");
  socket.on("conflate", async (on) => {
    await socket.leave(on ? "all" : "newest");
    await socket.join(on ? "newest" : "all");
  });
  const timer = setInterval(() => io.to(page).volatile.emit("waiting", socket.bufferedAmount), 100);
  socket.on("disconnect", () => clearInterval(timer));
}

let number = 0;
setInterval(() => {
  sea.move(1 / FRAMES_PER_SECOND);
  const frame = { number: number++, boats: sea.boats() };
  // Of the frames that wait for a client, only the newest is worth sending. Who reads at once gets every one.
  io.to("newest").conflate("frame").emit("frame", frame);
  io.to("all").emit("frame", frame);
}, 1000 / FRAMES_PER_SECOND);

httpServer.listen(port, () => console.log(`The race is at http://localhost:${port}`));
