/**
 * Listens on a free port of the loopback address.
 *
 * @param {import("node:http").Server} httpServer
 * @returns {Promise<number>} the port
 */
export function listen(httpServer) {
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(0, "127.0.0.1", () => {
      const address = httpServer.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
}
