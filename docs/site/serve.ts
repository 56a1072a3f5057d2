// `npm run docs`: builds the site if something has changed, and serves it with the demo. PORT sets the port (4000), and HOST=uws or
// HOST=node what it runs on.
import { Server } from "@tidewire/server";
import { buildSite, isUpToDate } from "./build-site.ts";
import { demo } from "./demo.ts";
import { listenOnNode, listenOnUws, loadUws } from "./hosts.ts";
import type { Listening } from "./hosts.ts";

const port = Number(process.env["PORT"] || 4000);
// Some shells set HOST to the name of the machine.
const wish = process.env["HOST"];
const uws = wish === "node" ? undefined : await loadUws();
if (wish === "uws" && uws === undefined) fail("uWebSockets.js does not load here.");

if (!isUpToDate()) await buildSite();

const io = new Server({
  connectionStateRecovery: { maxDisconnectionDuration: 60_000, maxLogBytes: 1_000_000 },
  limits: { connectionsPerIp: 50, eventsPerSecond: { rate: 5, burst: 20, over: "drop" } },
  maxHttpBufferSize: 10_000,
  serveClient: false,
});
const stop = demo(io);
const site = await listen();
console.log(`The site is at http://localhost:${site.port} (on ${site.host}). Ctrl-C ends it.`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop();
    void site.close();
  });
}

async function listen(): Promise<Listening> {
  try {
    return await (uws === undefined ? listenOnNode(io, port) : listenOnUws(uws, io, port));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isTaken = code === "EADDRINUSE";
    return fail(
      isTaken ? `Port ${port} is taken. Choose another one: PORT=${port + 1} npm run docs` : message,
    );
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
