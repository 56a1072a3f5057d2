import { application } from "../harness/application.mjs";
import { listen } from "../harness/listen-uws.mjs";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "official-uws",
  title: "official socket.io on uWebSockets.js",
  order: 40,
  host: "uws",

  async start(options) {
    const { Server } = await import("socket.io");
    const { App } = await import("uWebSockets.js");
    const app = App();
    const io = new Server(options);
    io.attachApp(app);
    const actions = application(io);
    return { port: await listen(app), actions };
  },
};
