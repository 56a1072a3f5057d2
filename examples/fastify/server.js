// Votes: a REST interface, whose changes every client sees at once. PORT sets the port (3000).
import fastify from "fastify";
import { socketIo } from "./socket-io.js";

const port = Number(process.env.PORT || 3000);
const votes = new Map([
  ["high tide", 0],
  ["low tide", 0],
]);

const app = fastify();
await app.register(socketIo);

app.get("/votes", async () => Object.fromEntries(votes));

const schema = {
  params: { type: "object", properties: { choice: { type: "string", enum: [...votes.keys()] } } },
};
app.post("/votes/:choice", { schema }, async ({ params: { choice } }, reply) => {
  votes.set(choice, votes.get(choice) + 1);
  app.io.emit("votes", Object.fromEntries(votes));
  return reply.code(204).send();
});

app.io.on("connection", (socket) => socket.emit("votes", Object.fromEntries(votes)));

// One address: without a host, Fastify opens a second server for the other address of localhost, without Socket.IO.
await app.listen({ port, host: "0.0.0.0" });
console.log(`Votes are at http://localhost:${port}/votes`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void app.close());
