// Beside the program of the page: clients on a port of its own.
import { building } from "$app/env";
import { Server } from "@tidewire/server";
import { live } from "../live.js";

if (!building) live(new Server(Number(process.env.SOCKET_PORT), { host: "uws", cors: { origin: "*" } }));
