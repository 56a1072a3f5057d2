// A node that recovers clients and sends numbered events, in a process of its own: `node node-program.ts <JSON of NodeSettings>`. It ends
// as the pages say: SIGTERM lets its clients leave, and then it ends by itself.
import { createServer } from "node:http";
import { cluster } from "@tidewire/cluster";
import { redis } from "@tidewire/cluster-redis";
import { Server } from "@tidewire/server";
import { Redis } from "ioredis";
import { atRate } from "../processes/at-rate.ts";
import { report, reportCluster } from "../processes/reports.ts";
import { ROOMS } from "./settings.ts";
import type { NodeSettings } from "./settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as NodeSettings;
const { host, port, healthPort, directory, listen, redisUrl, drainWithin, pingInterval } = settings;
// A connection to a Redis that hangs would keep the process alive for two seconds more.
const client = new Redis(redisUrl, { retryStrategy: () => 100, disconnectTimeout: 100 });
client.on("error", () => {});
const exit = (): never => process.exit();
process.once("disconnect", exit);
if (!process.connected) exit();

const io = new Server(port, {
  host,
  ...(pingInterval === undefined ? {} : { pingInterval, pingTimeout: pingInterval }),
  connectionStateRecovery: {},
  cluster: cluster({ name: "test", directory, listen, backend: redis({ client, lease: 2000 }) }),
});

/** The load balancer knows that this process takes no more clients. */
let onNoticed: () => void = () => {};
const noticed = new Promise<void>((resolve) => (onNoticed = resolve));
const health = createServer((_request, response) => {
  response.writeHead(io.ready ? 200 : 404, { Connection: "close" }).end();
  if (io.draining) onNoticed();
}).listen(healthPort);

reportCluster(io);

io.on("connection", (socket) => {
  void socket.join(`room ${socket.handshake.auth["room"]}`);
  // An event that asks for an answer is not kept.
  socket.emit("node", process.pid, () => {});
  socket.on("disconnect", (reason) => report("disconnect", { id: socket.id, reason }));
});

const sent = Array.from({ length: ROOMS + 1 }, () => 0);
let stop = (): void => {};

/** Sends so many events per second, to the rooms and to everybody in turn. */
function talk(rate: number): void {
  stop();
  stop = atRate(rate, (count) => {
    const group = count % sent.length;
    const target = group === ROOMS ? io : io.to(`room ${group}`);
    target.emit("said", process.pid, group, ++sent[group]!);
  });
}

function hush(): void {
  stop();
  report("sent", sent);
}

async function sockets(): Promise<{ readonly own: string[]; readonly all: string[] }> {
  const all = await io.fetchSockets();
  return { own: [...io.sockets.sockets.keys()], all: all.map(({ id }) => id) };
}

process.on("message", (message: { talk?: number; hush?: true; sockets?: true; nodes?: true }) => {
  if (message.talk !== undefined) talk(message.talk);
  if (message.hush) hush();
  if (message.nodes) report("nodes", io.cluster!.nodes);
  if (message.sockets) void sockets().then((found) => report("sockets", found));
});

async function end(): Promise<void> {
  await Promise.all([io.drain({ within: drainWithin, every: 100 }), noticed]);
  hush();
  await io.close();
  health.close();
  client.disconnect();
  process.off("disconnect", exit);
  process.disconnect();
}

process.once("SIGTERM", () => void end());
