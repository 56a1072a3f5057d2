// A plugin: `app.io`, on the HTTP server of Fastify.
import { Server } from "@tidewire/server";

export async function socketIo(app, options) {
  const io = new Server(app.server, options);
  app.decorate("io", io);
  // Before Fastify stops to listen: it would wait for connections that are open.
  app.addHook("preClose", () => io.close());
}

// The plugin's decorations are for the whole application, not for its own scope alone.
socketIo[Symbol.for("skip-override")] = true;
