import { createServer } from "node:http";
import { application } from "../harness/application.mjs";
import { listen } from "../harness/listen-node.mjs";
import { peerFile } from "../harness/peers.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "eiows",
  title: "official socket.io on node:http + eiows",
  order: 50,
  host: "node",
  peer: "eiows",

  async start(options) {
    const { Server } = await import("socket.io");
    const { default: eiows } = await import(peerFile("eiows", "eiows/dist/index.js").href);
    const httpServer = createServer();
    const io = new Server(httpServer, { ...options, wsEngine: eiows.Server });
    const actions = application(io);
    return { port: await listen(httpServer), actions };
  },
};
