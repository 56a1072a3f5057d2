// Two ways to serve a Socket.IO server and the files of its page on one port.
import { createServer } from "node:http";

/** Loads uWebSockets.js; undefined if it is not installed or has no binary for this machine. */
export async function loadUws() {
  try {
    const loaded = await import("uWebSockets.js");
    return loaded.default ?? loaded;
  } catch {
    return undefined;
  }
}

/** Listens on uWebSockets.js. Rejects with the code EADDRINUSE if the port is not available. */
export function listenOnUws(uWS, io, files, port) {
  const app = uWS.App();
  io.attachApp(app);
  // Not `get`: uWebSockets.js prefers routes of one method to those of any, so this would handle long-polling.
  app.any("/*", files.uws);
  return new Promise((resolve, reject) => {
    // The workers of `tidewire start` share the port. A second program must not: each would get half of the visitors.
    const options = process.env.TIDEWIRE_WORKER ? 0 : uWS.LIBUS_LISTEN_EXCLUSIVE_PORT;
    app.listen(port, options, (listenSocket) => {
      if (!listenSocket) return reject(Object.assign(new Error("cannot listen"), { code: "EADDRINUSE" }));
      const close = async () => {
        await io.close();
        app.close();
      };
      resolve({ name: "uWebSockets.js", port: uWS.us_socket_local_port(listenSocket), close });
    });
  });
}

/** Listens on node:http. Rejects with Node's error if the port is not available. */
export function listenOnNode(io, files, port) {
  const server = createServer(files.node);
  io.attach(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => {
      resolve({ name: "node:http", port: server.address().port, close: () => io.close() });
    });
  });
}
