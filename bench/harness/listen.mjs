// Functions that listen on a free port of the loopback address, and return it.
import { once } from "node:events";

export async function listenNode(httpServer) {
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  return httpServer.address().port;
}

export async function listenUws(app) {
  const { us_socket_local_port } = await import("uWebSockets.js");
  return new Promise((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket) resolve(us_socket_local_port(socket));
      else reject(new Error("uWebSockets.js could not listen on 127.0.0.1"));
    });
  });
}
