import { application } from "../application.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "tidewire-uws",
  title: "tidewire on uWebSockets.js",
  order: 10,
  host: "uws",
  built: true,

  async start() {
    const { Server } = await import("@tidewire/server");
    const io = new Server(0, { host: "uws" });
    const actions = application(io);
    return { port: io.httpServer.address().port, actions };
  },
};
