// The servers with the Socket.IO API. They all run the same application.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { application } from "../harness/application.mjs";
import { listenNode, listenUws } from "../harness/listen.mjs";
import { peerFile } from "../harness/peers.mjs";

/** Starts a server on node:http. */
async function startOnNode(Server, options) {
  const httpServer = createServer();
  const actions = application(new Server(httpServer, options));
  return { port: await listenNode(httpServer), actions };
}

/** @type {Variant[]} */
export default [
  {
    name: "tidewire-uws",
    title: "tidewire on uWebSockets.js",
    host: "uws",
    built: true,
    async start(options) {
      const { Server } = await import("@tidewire/server");
      const io = new Server(0, { ...options, host: "uws" });
      /** @type {any} */
      const { port } = io.httpServer.address();
      return { port, actions: application(io) };
    },
  },
  {
    name: "tidewire-node",
    title: "tidewire on node:http",
    host: "node",
    built: true,
    start: async (options) => startOnNode((await import("@tidewire/server")).Server, options),
  },
  {
    name: "official-ws",
    short: "official",
    title: "official socket.io on node:http + ws",
    host: "node",
    start: async (options) => startOnNode((await import("socket.io")).Server, options),
  },
  {
    name: "official-uws",
    short: "official on uWebSockets.js",
    title: "official socket.io on uWebSockets.js",
    host: "uws",
    async start(options) {
      const { Server } = await import("socket.io");
      const { App } = await import("uWebSockets.js");
      const app = App();
      const io = new Server(options);
      io.attachApp(app);
      return { port: await listenUws(app), actions: application(io) };
    },
  },
  {
    name: "eiows",
    title: "official socket.io on node:http + eiows",
    host: "node",
    peer: "eiows",
    async start(options) {
      const { Server } = await import("socket.io");
      const { default: eiows } = await import(peerFile("eiows", "eiows/dist/index.js").href);
      return startOnNode(Server, { ...options, wsEngine: eiows.Server });
    },
  },
  {
    name: "bun",
    short: "Bun",
    title: "official socket.io on Bun, bun-engine",
    host: "other",
    peer: "bun",
    command: [fileURLToPath(peerFile("bun", "bun/bin/bun.exe"))],
    async start(options) {
      const { Server } = await import("socket.io");
      const { Server: Engine } = await import(peerFile("bun", "@socket.io/bun-engine/dist/index.js").href);
      const io = new Server();
      const engine = new Engine({ path: "/socket.io/", ...options });
      io.bind(engine);
      const actions = application(io);
      /** @type {any} */
      const { Bun } = globalThis;
      const { port } = Bun.serve({ hostname: "127.0.0.1", port: 0, ...engine.handler() });
      return { port, actions };
    },
  },
];
