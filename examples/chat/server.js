// Starts the chat. PORT sets the port (3000), and HOST=uws or HOST=node the host. `npx tidewire start` runs it in several workers.
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import { chat } from "./chat.js";
import { gauge } from "./gauge.js";
import { listenOnNode, listenOnUws, loadUws } from "./hosts.js";
import { maxHttpBufferSize } from "./limits.js";
import { staticFiles } from "./static.js";

const port = Number(process.env.PORT || 3000);
if (!Number.isInteger(port) || port < 0 || port > 65_535)
  fail(`PORT=${process.env.PORT} is not a port number.`);

// Some shells set HOST to the name of the machine, so ignore other values.
const wish = process.env.HOST;
const uWS = wish === "node" ? undefined : await loadUws();
if (wish === "uws" && !uWS) fail("uWebSockets.js does not load here. HOST=node runs the chat on node:http.");

const { TIDEWIRE_WORKER } = process.env;
const io = new Server({
  maxHttpBufferSize,
  // Hints such as "is typing" wait for a slow page, until a newer one replaces them.
  slowConsumer: "conflate",
  // A page that was cut off for less than a minute gets what it missed. The memory of one worker would be no help to another.
  ...(TIDEWIRE_WORKER ? {} : { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }),
});
chat(io, TIDEWIRE_WORKER && { number: Number(TIDEWIRE_WORKER), pid: process.pid });
gauge(io);

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const files = staticFiles(folder("public"), folder("../shared"));
const host = await (uWS ? listenOnUws(uWS, io, files, port) : listenOnNode(io, files, port)).catch(explain);

let closing = false;
process.on("SIGINT", end);
process.on("SIGTERM", end);
console.log(`Chat is at http://localhost:${host.port} (on ${host.name}). Ctrl-C ends it.`);

/** Closes the server; the second signal ends the process at once. */
function end() {
  if (closing) process.exit(1);
  closing = true;
  void host.close().then(() => {
    console.log("Chat is closed.");
    // What would keep a worker alive.
    if (process.connected) process.disconnect();
  });
}

function explain(error) {
  if (error.code === "EADDRINUSE") {
    fail(
      `Port ${port} is taken. End the program that uses it, or choose another port: PORT=${port + 1} npm start`,
    );
  }
  if (error.code === "EACCES")
    fail(`Port ${port} needs more rights. Choose one above 1023: PORT=3000 npm start`);
  throw error;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
