// One server of a cluster. Clients send their name and rooms in `auth`.
import { once } from "node:events";
import { adapters, nodeRedis } from "./adapters.mjs";
import { given, listen, ready } from "./program.mjs";

const adapter = await adapters[given.adapter]?.(given);
const io = await listen({
  ...(given.directory === undefined ? { adapter } : { cluster: await linked(adapter) }),
  connectionStateRecovery: given.recovery ? {} : undefined,
  cleanupEmptyChildNamespaces: true,
});
if (io.cluster?.ready === false) await once(io.cluster, "ready");
const notes = [];

for (const namespace of [io.of("/"), io.of("/other"), io.of(/^\/team-\d+$/)]) {
  namespace.on("connection", async (socket) => {
    const { name, rooms = [] } = socket.handshake.auth;
    socket.data.name = name;
    await socket.join(rooms);
    socket.emit("joined");
  });
  namespace.on("note", (...args) => notes.push(args));
  namespace.on("question", (value, reply) => {
    if (value !== "silence") reply(`${given.name ?? process.pid} heard ${value}`);
  });
}

ready(io.httpServer, {
  /** Calls methods, each given as its name and arguments, on the result of the previous one; returns the last result. */
  async io(namespace, ...steps) {
    return plain(
      await steps.reduce((target, [method, ...args]) => target[method](...args), io.of(namespace)),
    );
  },
  /** The same on the socket of this server with this name. */
  socket(name, ...steps) {
    const socket = [...io.of("/").sockets.values()].find(({ data }) => data.name === name);
    steps.reduce((target, [method, ...args]) => target[method](...args), socket);
  },
  /** The same on the socket with this name, on any server. */
  async remote(name, ...steps) {
    const socket = (await io.fetchSockets()).find(({ data }) => data.name === name);
    return plain(await steps.reduce((target, [method, ...args]) => target[method](...args), socket));
  },
  /** `broadcast` and `local` are properties, not methods. */
  broadcastFrom(name, event) {
    const socket = [...io.of("/").sockets.values()].find(({ data }) => data.name === name);
    socket.broadcast.emit(event);
  },
  local: (event) => void io.local.emit(event),
  localCount: () => [...io._nsps.values()].reduce((sum, { sockets }) => sum + sockets.size, 0),
  namespaces: () => [...io._nsps.keys()],
  notes: () => notes.splice(0),
  linkedCount: () => io.cluster.nodes.length,
  serverCount: (namespace) => io.of(namespace).adapter.serverCount(),
  close: () => io.close(),
});

/** Converts a result for the test: sockets to plain objects, and other objects of the server to undefined. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value?.handshake === undefined) return value?.adapter === undefined ? value : undefined;
  const { id, rooms, data, handshake } = value;
  return { id, rooms: [...rooms], name: data.name, auth: handshake.auth };
}

/** Links the servers of the directory with each other. Without an adapter, broadcasts use the links, too. */
async function linked(own) {
  const { cluster } = await import("@tidewire/cluster");
  const { directory } = given;
  return cluster({
    name: given.prefix ?? "suite",
    directory,
    ...(own && { adapter: own }),
    ...(given.machine && (await asMachine())),
  });
}

/** As a machine of its own, whose broadcasts travel through Redis. */
async function asMachine() {
  const { redis } = await import("@tidewire/cluster-redis");
  return {
    listen: { host: "127.0.0.1", secret: "a secret that all of them share" },
    backend: redis({ client: await nodeRedis(given.redis) }),
  };
}
