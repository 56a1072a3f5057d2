// A server of a cluster, in a process of its own: `fork(…, [host, port, directory, JSON of options])`. It sends what happens, and
// does what it is told. With an option that names a server, that is its backend: it finds others there, also those of other machines.
import { cluster } from "@tidewire/cluster";
import type { ClusterOptions } from "@tidewire/cluster";
import { Server } from "@tidewire/server";
import { backendAt } from "./backend.ts";
import type { BackendPlace } from "./backend.ts";
import { report, reportCluster } from "./reports.ts";

const [host = "", port = "0", directory = "", given = "{}"] = process.argv.slice(2);
const { redisUrl, natsPort, postgresPort, ...options } = JSON.parse(given) as ClusterOptions & BackendPlace;
const backend = await backendAt({ redisUrl, natsPort, postgresPort });

const io = new Server(Number(port), {
  host: host as "uws" | "node",
  cluster: cluster({ directory, ...options, ...(backend === undefined ? {} : { backend }) }),
});

reportCluster(io);
io.on("connection", (socket) => {
  const { id } = io.cluster!.nodes[0]!;
  socket.emit("node", id);
  socket.on("echo", (value: unknown, acknowledge: (value: unknown) => void) => acknowledge(value));
  socket.on("shout", (value: unknown) => io.emit("shouted", value));
  socket.on("join", async (room: string, acknowledge: () => void) => {
    await socket.join(room);
    acknowledge();
  });
  socket.on("count", async (room: string, acknowledge: (count: number) => void) =>
    acknowledge(await io.in(room).count()),
  );
  socket.on("burst", (count: number, length: number) => {
    for (let index = 0; index < count; index++) socket.emit("piece", index, "x".repeat(length));
    report("burst");
  });
  socket.conn.on("upgrade", () => report("upgrade", id));
  socket.on("disconnect", (reason) => report("disconnect", reason));
});

async function end(): Promise<void> {
  io.emit("farewell");
  await io.drain({ within: 400, every: 50 });
  await io.close();
  process.disconnect();
}

process.once("SIGTERM", () => void end());

process.on("message", (message) => {
  if (message === "nodes") report("nodes", io.cluster!.nodes);
  if (message === "close") void io.close().then(() => process.disconnect());
});
