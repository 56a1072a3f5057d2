// A server of a cluster of several machines, which find each other through Redis.
import { cluster } from "@tidewire/cluster";
import { redis } from "@tidewire/cluster-redis";
import { Server } from "@tidewire/server";
import { Redis } from "ioredis";

const client = new Redis(process.env["REDIS_URL"]!);
client.on("error", () => {});
// The client would keep the process alive.
process.once("SIGTERM", () => process.exit());
const io = new Server(Number(process.env["PORT"]), {
  cluster: cluster({
    name: "test",
    listen: { host: process.env["LINK_HOST"]!, port: [7900, 7999], secret: process.env["SECRET"]! },
    backend: redis({ client }),
  }),
});
io.on("connection", (socket) => {
  socket.emit("node", io.cluster!.nodes[0]!.id);
  socket.on("nodes", (reply: (count: number) => void) => reply(io.cluster!.nodes.length));
  socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
});
