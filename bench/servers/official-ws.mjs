import { createServer } from "node:http";
import { application } from "../harness/application.mjs";
import { listen } from "../harness/listen-node.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "official-ws",
  title: "official socket.io on node:http + ws",
  order: 30,
  host: "node",

  async start(options) {
    const { Server } = await import("socket.io");
    const httpServer = createServer();
    const io = new Server(httpServer, options);
    const actions = application(io);
    return { port: await listen(httpServer), actions };
  },
};
