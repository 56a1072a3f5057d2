import { next } from "../waiting/events.ts";
import { RawWebSocket } from "../wire/raw-websocket.ts";
import type { Socket } from "./socketio.ts";
import type { StartedServer } from "./started-server.ts";

/** A WebSocket connection without a client library, after its Engine.IO handshake. */
export async function rawSession(running: StartedServer): Promise<RawWebSocket> {
  const wire = await RawWebSocket.connect(running.port, "/socket.io/?EIO=4&transport=websocket");
  running.closeWith(() => wire.reset());
  await wire.next();
  return wire;
}

/** A raw WebSocket connection that has joined the namespace, and its socket on the server. */
export async function rawPair(
  running: StartedServer,
  namespace = "/",
): Promise<{ wire: RawWebSocket; socket: Socket }> {
  const connection = next(running.io.of(namespace), "connection");
  const wire = await rawSession(running);
  wire.sendText(namespace === "/" ? "40" : `40${namespace},`);
  await wire.next();
  return { wire, socket: (await connection)[0] as Socket };
}
