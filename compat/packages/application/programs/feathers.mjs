// A Feathers application: a service that stores messages, and channels that publish them.
import { feathers } from "@feathersjs/feathers";
import socketio from "@feathersjs/socketio";
import { given, host, ready } from "./program.mjs";

class Messages {
  messages = [];

  async find({ query }) {
    const { from } = query;
    return this.messages.filter((message) => from === undefined || message.from === from);
  }

  async get(id) {
    if (this.messages[id] === undefined) throw Object.assign(new Error(`no message ${id}`), { code: 404 });
    return this.messages[id];
  }

  async create({ text }, { provider, connection }) {
    const message = { id: this.messages.length, text, from: connection.name, provider };
    this.messages.push(message);
    return message;
  }

  async remove(id) {
    return this.messages[id];
  }
}

const app = feathers();
const configure = (io) => {
  io.use((socket, next) => {
    socket.feathers.name = socket.handshake.auth.name;
    next();
  });
};
// with a port, the Socket.IO server listens on it by itself
app.configure(host === "uws" ? socketio(given.port, {}, configure) : socketio(configure));
app.use("messages", new Messages());
app.on("connection", (connection) => app.channel("everyone").join(connection));
app.on("disconnect", (connection) => app.channel("everyone").leave(connection));
app.service("messages").publish("created", () => app.channel("everyone"));
app
  .service("messages")
  .publish("removed", (message) => app.channel("everyone").filter(({ name }) => name === message.from));

let server;
if (host === "node") {
  server = await app.listen(0);
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
} else {
  await app.setup();
}

ready(server ?? app.io.httpServer, {
  connections: () => app.channel("everyone").length,
  disconnect(name) {
    const [connection] = app.channel("everyone").filter((one) => one.name === name).connections;
    app.emit("disconnect", connection);
  },
});
