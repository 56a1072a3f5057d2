// Two boats arrive. URL is the address of the server.
import type { ClientEmitEvents, ClientListenEvents } from "@tidewire/contract";
import { io, type Socket } from "socket.io-client";
import type { contract } from "./contract.ts";

type Harbour = Socket<ClientListenEvents<typeof contract>, ClientEmitEvents<typeof contract>>;

const socket: Harbour = io(process.env["URL"] || "http://localhost:3000");

socket.on("berth:taken", ({ berth, name }) => console.log(`${name} lies at ${berth}`));
socket.on("berth:free", ({ berth }) => console.log(`${berth} is free`));

const { berth } = await socket.emitWithAck("boat:arrive", { name: "Dory", length: 4 });
socket.emit("boat:leave", { berth });

// The compiler refuses this. The server does, too, whatever a client sends.
// @ts-expect-error: the length is a number
const refused: unknown = await socket.emitWithAck("boat:arrive", { name: "Vasa", length: "69 m" });
console.log(JSON.stringify(refused));
socket.close();
