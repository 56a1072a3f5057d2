// A script that ends by itself when it is told to, as applications that close their databases do.
import { Server } from "@tidewire/server";

new Server(Number(process.env["PORT"]));
process.once("SIGTERM", (signal) => {
  process.stdout.write(`closes its database on ${signal}`);
  process.exit(0);
});
