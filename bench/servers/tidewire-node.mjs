import { createServer } from "node:http";
import { application } from "../harness/application.mjs";
import { listen } from "../harness/listen-node.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "tidewire-node",
  title: "tidewire on node:http",
  order: 20,
  host: "node",
  built: true,

  async start(options) {
    const { Server } = await import("@tidewire/server");
    const httpServer = createServer();
    const io = new Server(httpServer, options);
    const actions = application(io);
    return { port: await listen(httpServer), actions };
  },
};
