import { application } from "../harness/application.mjs";
import { portOf } from "../harness/listen-node.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "tidewire-uws",
  title: "tidewire on uWebSockets.js",
  order: 10,
  host: "uws",
  built: true,

  async start(options) {
    const { Server } = await import("@tidewire/server");
    // Without the option a missing binary would be answered by node:http.
    const io = new Server(0, { ...options, host: "uws" });
    const actions = application(io);
    return { port: portOf(io.httpServer.address()), actions };
  },
};
