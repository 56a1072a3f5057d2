// A node that recovers clients, in a process of its own: `fork(…, [host, port, directory, redisUrl, journal | streams])`. It sends
// numbered events to rooms when it is told to, at the rate that it is told.
import { cluster } from "@tidewire/cluster";
import type { ClusterOptions } from "@tidewire/cluster";
import { redis } from "@tidewire/cluster-redis";
import { Server } from "@tidewire/server";
import { Redis } from "ioredis";
import { atRate } from "./at-rate.ts";
import { report, reportCluster } from "./reports.ts";

export type Keeper = "journal" | "streams";

/** How many rooms there are; each client is in one of them. */
export const ROOMS = 20;

const [host = "", port = "0", directory = "", redisUrl = "", keeper = ""] = process.argv.slice(2);
const client = new Redis(redisUrl, { retryStrategy: () => 100 });
client.on("error", () => {});
process.once("disconnect", () => process.exit());

async function kept(): Promise<ClusterOptions> {
  if (keeper === "journal") {
    const listen = { host: "127.0.0.1", secret: "a secret that all nodes share" };
    return { listen, backend: redis({ client, lease: 2000 }) };
  }
  const { createAdapter } = await import("@socket.io/redis-streams-adapter");
  return { adapter: createAdapter(client) as never };
}

const io = new Server(Number(port), {
  host: host as "uws" | "node",
  connectionStateRecovery: {},
  cluster: cluster({ name: "test", directory, ...(await kept()) }),
});

const self = (): string => io.cluster!.nodes[0]!.id;

reportCluster(io);
io.on("connection", (socket) => {
  void socket.join(`room ${socket.handshake.auth["room"]}`);
  // An event that asks for an answer is not kept.
  socket.emit("node", self(), () => {});
  socket.on("mark", (done: () => void) => done());
});

let hush = (): void => {};
const sent = Array.from({ length: ROOMS }, () => 0);

/** Sends so many events per second, to one room after the other. */
function talk(rate: number): void {
  const id = self();
  hush();
  hush = atRate(rate, (count) => {
    const room = count % ROOMS;
    io.to(`room ${room}`).emit("said", id, ++sent[room]!);
  });
}

process.on("message", (message: { talk?: number; hush?: true }) => {
  if (message.talk !== undefined) talk(message.talk);
  if (message.hush) {
    hush();
    report("sent", sent);
  }
});
