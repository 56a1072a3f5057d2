// A primary and two workers that listen on one port, given as the argument; prints what each worker's server emitted.
import cluster from "node:cluster";
import { once } from "node:events";
import { Server as HttpServer } from "node:http";
import { Server } from "@tidewire/server";

const [, , port, host] = process.argv;

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()];
  const seen = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0] as object));
  const { status } = await fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`);
  process.stdout.write(JSON.stringify({ seen, status }));
  for (const worker of workers) worker.kill();
} else {
  const { httpServer } = new Server(Number(port), { host: host as "uws" | "node" });
  const isNode = httpServer instanceof HttpServer;
  httpServer.on("listening", () => process.send?.({ event: "listening", isNode }));
  httpServer.on("error", (error: NodeJS.ErrnoException) => process.send?.({ event: error.code, isNode }));
}
