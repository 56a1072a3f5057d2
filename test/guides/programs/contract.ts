// oxlint-disable no-console
import type { AddressInfo } from "node:net";
import { defineContract } from "@tidewire/contract";
import type { ClientEmitEvents, ClientListenEvents } from "@tidewire/contract";
import { Server } from "@tidewire/server";
import { io as connect, type Socket } from "socket.io-client";
import { z } from "zod";

// A module that both sides import.
const contract = defineContract({
  clientToServer: {
    order: {
      args: [z.object({ item: z.string(), count: z.number().int().positive() })],
      ack: z.object({ id: z.string() }),
    },
  },
  serverToClient: { ready: [z.string()] },
  data: z.object({ user: z.string() }),
});

// The server.
const io = new Server(0, { contract });
io.on("connection", (socket) => {
  socket.on("order", ({ item, count }, answer) => {
    answer({ id: "7" });
    socket.emit("ready", `${count} × ${item}`);
  });
});
io.on("invalid_event", ({ event, issues }) => console.log(event, issues[0]?.path));

// The client.
const { port } = io.httpServer.address() as AddressInfo;
const client: Socket<ClientListenEvents<typeof contract>, ClientEmitEvents<typeof contract>> = connect(
  `http://localhost:${port}`,
);
const ready = new Promise<string>((resolve) => client.on("ready", resolve));
const { id } = await client.emitWithAck("order", { item: "tea", count: 2 });
console.log(id, await ready);

// @ts-expect-error: the count is missing
const answer: unknown = await client.emitWithAck("order", { item: "tea" });
console.log(answer);

client.close();
await io.close();
