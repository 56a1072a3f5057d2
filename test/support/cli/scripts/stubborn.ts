// A script that listens, and then never lets anything else happen.
import { Server } from "@tidewire/server";

new Server(Number(process.env["PORT"]), { host: "node" }).httpServer.once("listening", () => {
  setTimeout(() => {
    for (;;);
  }, 50);
});
