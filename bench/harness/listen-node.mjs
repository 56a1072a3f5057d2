/**
 * @param {string | import("node:net").AddressInfo | null | undefined} address as `server.address()` answers it
 * @returns {number}
 */
export function portOf(address) {
  if (typeof address !== "object" || address === null)
    throw new Error("the server does not listen on a port");
  return address.port;
}

/**
 * Listens on a free port of the loopback address.
 *
 * @param {import("node:http").Server} httpServer
 * @returns {Promise<number>} the port
 */
export function listen(httpServer) {
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(0, "127.0.0.1", () => resolve(portOf(httpServer.address())));
  });
}
