// `npm run docs`: builds the site if something has changed, and serves it with the demo. PORT sets the port (4000).
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@tidewire/server";
import { buildSite, isUpToDate } from "./build-site.ts";
import { demo } from "./demo.ts";
import { siteFiles } from "./files.ts";

const port = Number(process.env["PORT"] || 4000);

if (!isUpToDate()) await buildSite();

const httpServer = createServer(siteFiles(true));
const io = new Server(httpServer, {
  connectionStateRecovery: { maxDisconnectionDuration: 60_000, maxLogBytes: 1_000_000 },
  limits: { connectionsPerIp: 50, eventsPerSecond: { rate: 5, burst: 20, over: "drop" } },
  maxHttpBufferSize: 10_000,
  serveClient: false,
});
const stop = demo(io);

httpServer.once("error", (error: NodeJS.ErrnoException) => {
  const isTaken = error.code === "EADDRINUSE";
  console.error(
    isTaken ? `Port ${port} is taken. Choose another one: PORT=${port + 1} npm run docs` : error.message,
  );
  process.exit(1);
});
httpServer.listen(port, () => {
  console.log(
    `The site is at http://localhost:${(httpServer.address() as AddressInfo).port}. Ctrl-C ends it.`,
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop();
    void io.close();
  });
}
