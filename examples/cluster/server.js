// One of the three processes: a node that knows the others through Redis, as if it ran on a machine of its own.
import { Server } from "@tidewire/server";
import { cluster } from "@tidewire/cluster";
import { redis } from "@tidewire/cluster-redis";
import { Redis } from "ioredis";

const { NAME, PORT, REDIS_URL, TIDEWIRE_SECRET, DIRECTORY } = process.env;

const client = new Redis(REDIS_URL);
client.on("error", (error) => console.error(`${NAME}: ${error.message}`));

const io = new Server(Number(PORT), {
  cluster: cluster({
    name: "harbour",
    // Processes of one machine meet in this directory. With one directory each, these three have Redis alone.
    directory: DIRECTORY,
    listen: { host: "127.0.0.1", secret: TIDEWIRE_SECRET },
    backend: redis({ client }),
  }),
  // Redis keeps what was sent, so that a client that was cut off gets it from any of the three.
  connectionStateRecovery: { maxDisconnectionDuration: 60_000 },
});

io.cluster.on("join", ({ id }) => console.log(`${NAME} has met ${id}: ${io.cluster.nodes.length} nodes`));
io.cluster.on("leave", ({ id }) => console.log(`${NAME} has lost ${id}`));

io.on("connection", (socket) => {
  socket.data.node = NAME;
  socket.on("say", (text) => io.emit("said", { text, node: NAME }));
  socket.on("who", async (answer) => {
    const sockets = await io.fetchSockets();
    answer(sockets.map(({ id, data }) => ({ id, node: data.node })));
  });
});

// Otherwise a client that takes no answer would end the process.
io.onError((error, { event }) => console.error(`${NAME}: ${event}: ${error.message}`));

process.once("SIGTERM", async () => {
  await io.close();
  client.disconnect();
});
