import assert from "node:assert/strict";
import type { WebTransportSession } from "@tidewire/engine";
import type { Engine, EngineOptions, Session } from "../engine/types.ts";
import type { EngineHost } from "../engine/hosts.ts";
import type { PollingPeer } from "../engine/peers.ts";
import type { StartedEngine } from "../engine/started-engine.ts";
import { WebTransportPair } from "./pair.ts";
import type { StreamOptions, WebTransportClientStream } from "./pair.ts";

export type WebTransportEngine = Engine & {
  onWebTransportSession(session: WebTransportSession): Promise<void>;
};

export interface WebTransportPeer {
  server: StartedEngine;
  pair: WebTransportPair;
  stream: WebTransportClientStream;
  session: Session;
}

const TRANSPORTS: EngineOptions = { transports: ["polling", "websocket", "webtransport"] };

/** A session passed to the engine, and the stream the client opened on it. */
export function connectWebTransport(
  server: StartedEngine,
  options?: StreamOptions,
): Omit<WebTransportPeer, "session"> {
  const pair = new WebTransportPair();
  const stream = pair.stream(options);
  void (server.engine as WebTransportEngine).onWebTransportSession(pair.session);
  return { server, pair, stream };
}

/** A new Engine.IO session over WebTransport, after its handshake. */
export async function openWebTransport(
  server: StartedEngine,
  options?: StreamOptions,
): Promise<WebTransportPeer> {
  const peer = connectWebTransport(server, options);
  await peer.stream.write('01 "0"');
  const session = await server.nextSession();
  assert.match((await peer.stream.frame()).toString(), /^0\{"sid"/);
  return { ...peer, session };
}

export function startWithWebTransport(host: EngineHost, options: EngineOptions = {}): Promise<StartedEngine> {
  return host.start({ ...TRANSPORTS, ...options });
}

export function probeWebTransport(
  peer: PollingPeer,
): Omit<WebTransportPeer, "session"> & { offered: Promise<void> } {
  const connected = connectWebTransport(peer.server);
  const data = `0{"sid":"${peer.sid}"}`;
  const offered = connected.stream.write(Buffer.from(`${String.fromCharCode(data.length)}${data}`));
  return { ...connected, offered };
}
