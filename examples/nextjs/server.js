// Next.js and Socket.IO on one port. PORT sets the port (3000); NODE_ENV=production serves what `npm run compile` has built.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import next from "next";

const port = Number(process.env.PORT || 3000);
const dir = fileURLToPath(new URL(".", import.meta.url));
const app = next({ dev: process.env.NODE_ENV !== "production", dir, port });
await app.prepare();

const httpServer = createServer(app.getRequestHandler());
const io = new Server(httpServer);

let level = 0;
io.on("connection", (socket) => {
  socket.emit("level", level);
  socket.on("add", (step, reply) => {
    level += step === -1 ? -1 : 1;
    io.emit("level", level);
    reply(level);
  });
});

// Otherwise a client that takes no answer would end the process.
io.onError((error, { event }) => console.error(`${event}: ${error.message}`));

httpServer.listen(port, () => console.log(`The tide gauge is at http://localhost:${port}`));
