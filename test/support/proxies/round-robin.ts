import { createServer, request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A load balancer without affinity: each request goes to the next server. */
export interface RoundRobinProxy extends AsyncDisposable {
  readonly port: number;
}

export async function roundRobinProxy(ports: readonly number[]): Promise<RoundRobinProxy> {
  let turn = 0;
  const sockets = new Set<Socket>();
  const forward = (request: IncomingMessage, connection: string) => {
    const { method, url } = request;
    // That of the client is another connection than ours.
    const headers = { ...request.headers, connection };
    return send({ host: "127.0.0.1", port: ports[turn++ % ports.length]!, method, path: url, headers });
  };
  const server = createServer((request, response) => {
    const forwarded = forward(request, "keep-alive");
    request.pipe(forwarded);
    forwarded.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.destroy());
    response.on("close", () => forwarded.destroy());
  });
  server.on("upgrade", (request, client: Socket) => {
    const forwarded = forward(request, "Upgrade");
    forwarded.on("upgrade", (answer, upstream, head) => {
      const lines = [`HTTP/1.1 101 ${answer.statusMessage}`];
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
      }
      client.write([...lines, "", ""].join("\r\n"));
      client.write(head);
      upstream.pipe(client).pipe(upstream);
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on("error", () => {});
        one.on("close", () => other.destroy());
      }
    });
    forwarded.on("response", (answer) => {
      client.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
    });
    forwarded.on("error", () => client.destroy());
    client.on("error", () => forwarded.destroy());
    forwarded.end();
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
