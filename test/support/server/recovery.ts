import { connected } from "./clients.ts";
import { next } from "../waiting/events.ts";
import type { ClientSocket, Socket } from "./socketio.ts";
import type { StartedServer } from "./started-server.ts";

/** Breaks the client's connection, and waits until both ends have noticed. */
export async function lost(client: ClientSocket, socket: Socket): Promise<void> {
  const gone = next(socket, "disconnect");
  const unaware = next(client, "disconnect");
  client.io.engine.close();
  await Promise.all([gone, unaware]);
}

/** Reconnects a client; returns its socket once the missed packets are delivered. */
export async function back(running: StartedServer, client: ClientSocket, namespace = "/"): Promise<Socket> {
  const connection = next<[Socket]>(running.io.of(namespace), "connection");
  client.connect();
  const [[socket]] = await Promise.all([connection, connected(client)]);
  return socket;
}

/** The events a client receives from now on, without their offsets. */
export function heardBy(client: ClientSocket): unknown[][] {
  const heard: unknown[][] = [];
  client.onAny((...args: unknown[]) => void heard.push(withoutOffset(args)));
  return heard;
}

/** The offset at the end of a recoverable event; the official server numbers those of one millisecond. */
export const offset: RegExp = /^[\w-]{7}(\.\w+)?$/;

function withoutOffset(args: unknown[]): unknown[] {
  const last = args.at(-1);
  return args.length > 1 && typeof last === "string" && offset.test(last) ? args.slice(0, -1) : args;
}
