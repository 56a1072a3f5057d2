// Shared by the programs: listens on the host that the test chooses, reports the port, executes the calls of the test, and
// exits with it. A worker of a cluster reaches the test through its primary.
import { createServer } from "node:http";
import { Server } from "socket.io";

/** The options that the test passed to `runProgram()`. */
export const given = JSON.parse(process.env.GIVEN ?? "{}");

/** `uws` or `node`. */
export const { HOST: host } = process.env;

/** The port of an app: the Socket.IO server attached to it does not know it. */
let appPort;

/**
 * Starts a server on a free port: on uWebSockets.js by port or, with `attachApp`, attached to an app; or on a node:http
 * server.
 */
export async function listen(options) {
  if (host === "uws") return given.attachApp ? listenWithApp(options) : new Server(0, options);
  const httpServer = createServer();
  // otherwise, workers of node:cluster would share the port
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

/** Reports the port of the server to the test, and accepts its calls. */
export function ready(httpServer, calls = {}) {
  const isNode = "listenerCount" in httpServer && httpServer.listenerCount("request") > 0;
  if (isNode !== (host === "node")) throw new Error(`This is not the host ${host}`);
  answerCalls(httpServer.address() ?? { port: appPort }, calls);
}

/** Accepts the calls of the test. */
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
