import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { io } from "socket.io-client";
import type { ManagerOptions, Socket as ClientSocket, SocketOptions } from "socket.io-client";

/** A proxy between a client and a server. */
export interface CuttableProxy extends Disposable {
  readonly port: number;
  client(options?: Partial<ManagerOptions & SocketOptions>): ClientSocket;
  /** Stops forwarding, without closing anything. */
  freeze(): void;
  /** Forwards again; what was sent meanwhile is lost, so that the connections of that time are reset. */
  thaw(): void;
  /** Ends every connection through it with a TCP reset at both ends. New ones may follow. */
  reset(): void;
  close(): void;
}

export async function cuttableProxy(target: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((inner) => {
    const outer = connect({ port: target, host: "127.0.0.1" });
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("data", (chunk: Buffer) => void (frozen || to.write(chunk)));
      from.on("close", () => void (frozen || to.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  return {
    port,
    client: (options = {}) =>
      io(`http://127.0.0.1:${port}`, { forceNew: true, reconnection: false, ...options }),
    freeze: () => void (frozen = true),
    thaw: () => {
      frozen = false;
      reset();
    },
    reset,
    close,
    [Symbol.dispose]: close,
  };
}
