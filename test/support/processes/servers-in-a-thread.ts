// A process with two servers in a worker thread, which ends; prints what the thread saw of them.
import { once } from "node:events";
import { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Server } from "@tidewire/server";

if (isMainThread) {
  // Threads do not get the loader of the sources by themselves.
  const script = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))})
    .then(({ register }) => register())
    .then(() => import(${JSON.stringify(import.meta.url)}));`;
  const thread = new Worker(script, { eval: true });
  const exited = once(thread, "exit");
  thread.on("message", (message) => process.stdout.write(JSON.stringify(message)));
  await exited;
} else {
  const servers = [new Server(0), new Server(0)];
  const seen = await Promise.all(
    servers.map(async ({ httpServer }) => {
      if (!httpServer.listening) await once(httpServer, "listening");
      const { port } = httpServer.address() as AddressInfo;
      const { status } = await fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`);
      return { status, isNode: httpServer instanceof HttpServer };
    }),
  );
  await Promise.all(servers.map((io) => io.close()));
  parentPort?.postMessage(seen);
}
