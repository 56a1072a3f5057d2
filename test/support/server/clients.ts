import { next } from "../waiting/events.ts";
import { within } from "../waiting/queue.ts";
import type { ClientSocket, Socket } from "./socketio.ts";
import type { ClientOptions, StartedServer } from "./started-server.ts";

/** The ways an official client connects. */
export const transports: Readonly<Record<"polling" | "websocket" | "upgrade", ClientOptions>> = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

/** Runs `body` for each way to connect. */
export function onEveryTransport(body: (name: string, mode: ClientOptions) => void): void {
  for (const [name, mode] of Object.entries(transports)) describe(`over ${name}`, () => body(name, mode));
}

export interface Pair {
  client: ClientSocket;
  socket: Socket;
}

/** A client and its socket on the server, both connected. */
export async function pair(running: StartedServer, options?: ClientOptions, namespace = "/"): Promise<Pair> {
  const client = running.client(options, namespace);
  const [socket] = await Promise.all([next(running.io.of(namespace), "connection"), connected(client)]);
  return { client, socket: socket[0] as Socket };
}

/** Resolves when the client is connected; rejects with its connect_error. */
export function connected(client: ClientSocket): Promise<void> {
  if (client.connected) return Promise.resolve();
  const answer = new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  return within(answer, "the client to connect");
}

/** Resolves when the client's engine runs on WebSocket. */
export async function upgraded(client: ClientSocket): Promise<void> {
  const { engine } = client.io;
  if (engine.transport.name !== "websocket") await next(engine, "upgrade");
}

/** A round trip: when it resolves, everything sent before has arrived, in both directions. */
export async function settled(client: ClientSocket, socket: Socket): Promise<void> {
  const answer = next(client, "settled");
  socket.once("settle", () => socket.emit("settled"));
  client.emit("settle");
  await answer;
}

/** Resolves when a packet may be written at once: for long-polling, when a poll is parked. */
export async function writable(socket: Socket): Promise<void> {
  while (!socket.conn.transport.writable) await new Promise(setImmediate);
}
