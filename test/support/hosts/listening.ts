import type { Server as HttpServer } from "node:http";
import type { AddressInfo, ListenOptions } from "node:net";
import * as uWS from "uWebSockets.js";

interface Listening extends Disposable {
  readonly port: number;
  readonly stop: () => void;
}

/**
 * Listens on the loopback interface, on an ephemeral port by default. `using` closes the server.
 *
 * @param reusePort - whether others may share the port, from Node 22.12 on
 */
export async function listen(
  server: HttpServer,
  wished = 0,
  address: string = "127.0.0.1",
  reusePort = false,
): Promise<Listening> {
  // The types are those of the oldest Node that is supported.
  const options: ListenOptions & { reusePort: boolean } = { port: wished, host: address, reusePort };
  await new Promise<void>((resolve) => server.listen(options, resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, stop, [Symbol.dispose]: stop };
}

/** The same with an app of uWebSockets.js. */
export function listenApp(app: uWS.TemplatedApp, wished = 0): Listening {
  let port = 0;
  app.listen("127.0.0.1", wished, (socket) => {
    if (!socket) throw new Error("uWebSockets.js could not listen");
    port = uWS.us_socket_local_port(socket);
  });
  const stop = (): void => void app.close();
  return { port, stop, [Symbol.dispose]: stop };
}
