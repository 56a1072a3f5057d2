// oxlint-disable no-console
import type { AddressInfo } from "node:net";
import { Server } from "@tidewire/server";
import { io as connect, type Socket } from "socket.io-client";

interface FromClients {
  say: (text: string, answer: (length: number) => void) => void;
}
interface ToClients {
  said: (by: string, text: string) => void;
}
interface Data {
  user: string;
}

const io = new Server<FromClients, ToClients, Record<string, never>, Data>(0);

io.on("connection", (socket) => {
  socket.data.user = "Ada";
  socket.on("say", (text, answer) => {
    io.emit("said", socket.data.user, text);
    answer(text.length);
  });
  // @ts-expect-error: clients do not send this event
  socket.on("shout", () => {});
});

const { port } = io.httpServer.address() as AddressInfo;
const client: Socket<ToClients, FromClients> = connect(`http://localhost:${port}`);
client.on("said", (by, text) => console.log(`${by}: ${text}`));

const length = await client.emitWithAck("say", "hello");
console.log(length.toFixed(1));

client.close();
await io.close();
