// What the programs have in common: they listen on the host that the test names, tell it where, do what it calls, and end
// when it does. A worker of a cluster speaks with the test through its primary.
import { createServer } from "node:http";
import { Server } from "socket.io";

/** What the test has given: an object of its own. */
export const given = JSON.parse(process.env.GIVEN ?? "{}");

/** `uws` or `node`. */
export const { HOST: host } = process.env;

/** The port of an app that the application lets listen: its server does not know it. */
let appPort;

/**
 * A server on a free port: on uWebSockets.js because it is given a port, or an app if the test wishes so; or on a server of
 * node:http.
 */
export async function listen(options) {
  if (host === "uws") return given.attachApp ? listenWithApp(options) : new Server(0, options);
  const httpServer = createServer();
  // Workers of node:cluster would share the port.
  await new Promise((resolve) => httpServer.listen({ port: 0, host: "127.0.0.1", exclusive: true }, resolve));
  return new Server(httpServer, options);
}

async function listenWithApp(options) {
  const { App, us_socket_local_port: portOf } = await import("uWebSockets.js");
  const app = App();
  const io = new Server(options);
  io.attachApp(app);
  await new Promise((resolve) => {
    app.listen("127.0.0.1", 0, (socket) => resolve((appPort = portOf(socket))));
  });
  return io;
}

/** Tells the test where the server listens and does from then on what it calls. */
export function ready(httpServer, calls = {}) {
  const isNode = "listenerCount" in httpServer && httpServer.listenerCount("request") > 0;
  if (isNode !== (host === "node")) throw new Error(`This is not the host ${host}`);
  answerCalls(httpServer.address() ?? { port: appPort }, calls);
}

/** Does what the test calls. */
export function answerCalls({ port }, calls) {
  process.on("message", (message) => {
    if (message.call !== undefined) void answer(calls, message);
  });
  process.send({ ready: { port, pid: process.pid } });
}

async function answer(calls, { id, call, args }) {
  try {
    process.send({ id, result: await calls[call](...args) });
  } catch (error) {
    process.send({ id, error: { message: error.message, responses: error.responses } });
  }
}

process.on("disconnect", () => process.exit());
