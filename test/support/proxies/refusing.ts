import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How a proxy treats WebSocket: answers 403, or cuts the connection. */
export type Refusal = "403" | "cut";

export interface RefusingProxy {
  readonly port: number;
  /** Upgrades requested so far. */
  readonly refused: number;
  close(): Promise<void>;
}

/** A proxy that forwards plain HTTP to `target` and blocks WebSocket, as some company networks do. */
export async function startRefusingProxy(target: number, refusal: Refusal): Promise<RefusingProxy> {
  let refused = 0;
  const open = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port: target, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  server.on("upgrade", (_request: IncomingMessage, socket: Duplex) => {
    refused++;
    socket.on("error", () => {});
    if (refusal === "cut") socket.destroy();
    else socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get refused() {
      return refused;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
