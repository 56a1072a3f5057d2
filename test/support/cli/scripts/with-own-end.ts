// A script that ends by itself when it is told to, as applications that close their databases do.
import { Server } from "@tidewire/server";

const io = new Server(Number(process.env["PORT"]));

async function end(signal: NodeJS.Signals): Promise<void> {
  // As without `tidewire start`, where nobody has closed it before.
  await io.close();
  process.stdout.write(`closes its database on ${signal}`);
  process.exit(0);
}

process.once("SIGTERM", (signal) => void end(signal));
