// The primary of node:cluster: starts the workers, passes messages between them and the test, and exits with the test.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { setupPrimary } from "@socket.io/cluster-adapter";
import { setupMaster } from "@socket.io/sticky";
import { given } from "./program.mjs";

const { worker = "node-of-cluster.mjs", count, sticky } = given;
const exec = fileURLToPath(new URL(worker, import.meta.url));
cluster.setupPrimary({ exec, serialization: "advanced" });
setupPrimary();

let port;
if (sticky) {
  const httpServer = createServer();
  setupMaster(httpServer, { loadBalancingMethod: "round-robin" });
  await new Promise((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  ({ port } = httpServer.address());
}

for (let number = 0; number < count; number++) {
  const child = cluster.fork({ GIVEN: JSON.stringify({ ...given, name: `worker ${number}` }) });
  child.on("message", (message) => {
    if (message.ready !== undefined) {
      process.send({ worker: number, ready: { ...message.ready, port: port ?? message.ready.port } });
    } else if (message.id !== undefined && message.source === undefined) {
      process.send({ worker: number, ...message });
    }
  });
  process.on("message", (message) => {
    if (message.worker === number && child.isConnected()) child.send(message);
  });
}
