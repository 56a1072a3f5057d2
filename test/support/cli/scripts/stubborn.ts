// A script that listens, and then never lets anything else happen.
import { Server } from "@tidewire/server";

new Server(Number(process.env["PORT"]), { host: "node" }).httpServer.once("listening", () => {
  // The supervisor hears first that it listens.
  setImmediate(() => {
    process.stdout.write("is busy for good\n");
    for (;;);
  });
});
