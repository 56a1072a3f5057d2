// An application as it runs in one process.
import { Server } from "@tidewire/server";

const [host = "uws"] = process.argv.slice(2);
const io = new Server(Number(process.env["PORT"]), { host: host as "uws" | "node", allowEIO3: true });
io.on("connection", (socket) => {
  socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
  socket.on("pid", (reply: (pid: number) => void) => reply(process.pid));
  socket.on("shout", (value: unknown) => io.emit("shouted", value));
  socket.on("crash", () => process.exit(7));
});
