import { next } from "../waiting/events.ts";
import type { StartedServer } from "../server/started-server.ts";
import type { ServerOptions, Socket } from "../server/socketio.ts";
import { WebTransportPair } from "./pair.ts";
import type { WebTransportClientStream } from "./pair.ts";

export const webTransport: Partial<ServerOptions> = { transports: ["polling", "websocket", "webtransport"] };

export interface WebTransportClient {
  pair: WebTransportPair;
  stream: WebTransportClientStream;
  socket: Socket;
}

/** A hand-made client over WebTransport that has joined the root namespace. */
export async function webTransportClient({ io }: StartedServer): Promise<WebTransportClient> {
  const pair = new WebTransportPair();
  const stream = pair.stream();
  void io.engine.onWebTransportSession(pair.session);
  await stream.write('01 "0" 02 "40"');
  const [socket] = await next<[Socket]>(io, "connection");
  return { pair, stream, socket };
}
