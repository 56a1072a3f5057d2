// A script that fails once the file exists that it is given.
import { existsSync } from "node:fs";
import { Server } from "@tidewire/server";

if (existsSync(process.argv[2]!)) throw new Error("broken");
const io = new Server(Number(process.env["PORT"]));
io.on("connection", (socket) => {
  socket.on("pid", (reply: (pid: number) => void) => reply(process.pid));
});
