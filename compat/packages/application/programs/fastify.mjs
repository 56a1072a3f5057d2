// A fastify application.
import fastify from "fastify";
import fastifySocketIO from "fastify-socket.io";
import { ready } from "./program.mjs";

const app = fastify();
await app.register(fastifySocketIO, { cors: { origin: "https://example.com" }, path: "/live" });

app.get("/", async () => ({ clients: app.io.engine.clientsCount }));
app.post("/news", async ({ body }) => ({ sent: app.io.to(body.room).emit("news", body.text) }));

app.ready((error) => {
  if (error) throw error;
  app.io.on("connection", (socket) => {
    void socket.join("readers");
    socket.on("echo", (value, reply) => reply(value));
  });
});

await app.listen({ port: 0, host: "127.0.0.1" });
ready(app.server, { close: () => app.close() });
