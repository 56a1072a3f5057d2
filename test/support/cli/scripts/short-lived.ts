// A script that listens and then fails, again and again.
import { Server } from "@tidewire/server";

const io = new Server(Number(process.env["PORT"]));
io.httpServer.once("listening", () => setTimeout(() => process.exit(3), 50));
