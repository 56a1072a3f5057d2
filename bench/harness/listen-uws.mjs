/**
 * Listens on a free port of the loopback address.
 *
 * @param {import("uWebSockets.js").TemplatedApp} app
 * @returns {Promise<number>} the port
 */
export async function listen(app) {
  const { us_socket_local_port } = await import("uWebSockets.js");
  return new Promise((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket) resolve(us_socket_local_port(socket));
      else reject(new Error("uWebSockets.js could not listen on 127.0.0.1"));
    });
  });
}
