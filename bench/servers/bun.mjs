import { fileURLToPath } from "node:url";
import { application } from "../harness/application.mjs";
import { peerFile } from "../harness/peers.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "bun",
  title: "official socket.io on Bun, bun-engine",
  order: 60,
  host: "other",
  peer: "bun",
  command: fileURLToPath(peerFile("bun", "bun/bin/bun.exe")),
  commandArgs: [],

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
};
