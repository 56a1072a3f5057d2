import assert from "node:assert/strict";
import type { Session } from "./types.ts";
import type { Handshake } from "./peers.ts";
import { parked } from "./peers.ts";
import { within } from "../waiting/queue.ts";
import type { StartedEngine } from "./started-engine.ts";
import type { WireRequest, WireResponse, WireSocket } from "../wire/client.ts";

/** The path of a request of an Engine.IO v3 client. */
export function legacyPath(server: StartedEngine, query: string): string {
  return server.path(query).replace("EIO=4", "EIO=3");
}

/** The packet that opens a session. */
export function openPacket(sid: string, upgrades: string[]): string {
  const list = JSON.stringify(upgrades);
  return `0{"sid":"${sid}","upgrades":${list},"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`;
}

/** One packet of a text payload: its length in UTF-16 units first. */
export function framed(packet: string): string {
  return `${packet.length}:${packet}`;
}

/** An Engine.IO v3 client over long-polling, made of plain requests. */
export class LegacyPeer {
  readonly server: StartedEngine;
  readonly session: Session;
  readonly sid: string;
  readonly #query: string;

  private constructor(server: StartedEngine, session: Session, sid: string, query: string) {
    this.server = server;
    this.session = session;
    this.sid = sid;
    this.#query = query;
  }

  /** `query` goes with every request, as `b64=1` does. */
  static async open(server: StartedEngine, query = ""): Promise<LegacyPeer> {
    const path = legacyPath(server, `transport=polling${query}`);
    const { status, body } = await server.client.get(path);
    assert.equal(status, 200, body);
    const sid = /\bsid\\?":\\?"([^"\\]+)/.exec(body)?.[1];
    assert.ok(sid !== undefined, body);
    return new LegacyPeer(server, await server.nextSession(), sid, query);
  }

  get path(): string {
    return legacyPath(this.server, `transport=polling${this.#query}&sid=${this.sid}`);
  }

  get websocketPath(): string {
    return legacyPath(this.server, `transport=websocket${this.#query}&sid=${this.sid}`);
  }

  /** The answer to the next poll. */
  poll(request?: WireRequest): Promise<WireResponse> {
    return within(this.server.client.get(this.path, request), "a poll to be answered");
  }

  /** Sends a poll and waits until the server holds it. */
  async park(): Promise<{ answer: Promise<WireResponse> }> {
    const answer = this.poll();
    answer.catch(() => {});
    await parked(this.session);
    return { answer };
  }

  post(body: string | Buffer, request?: WireRequest): Promise<WireResponse> {
    return this.server.client.post(this.path, body, request);
  }

  /** Posts a payload as bytes, as clients that support binary do. */
  postBinary(body: Buffer): Promise<WireResponse> {
    return this.post(body, { headers: { "content-type": "application/octet-stream" } });
  }

  /** A WebSocket for this session on which the probe was answered. */
  async probe(): Promise<WireSocket> {
    const socket = await this.server.client.websocket(this.websocketPath);
    socket.sendText("2probe");
    assert.equal(await socket.next(), "3probe");
    return socket;
  }
}

export interface LegacyWebSocketPeer {
  socket: WireSocket;
  session: Session;
  handshake: Handshake;
}

/** An Engine.IO v3 client that starts with a WebSocket. */
export async function openLegacyWebSocket(server: StartedEngine, query = ""): Promise<LegacyWebSocketPeer> {
  const socket = await server.client.websocket(legacyPath(server, `transport=websocket${query}`));
  const open = await socket.next();
  assert.ok(typeof open === "string" && open.startsWith("0{"), String(open));
  return { socket, session: await server.nextSession(), handshake: JSON.parse(open.slice(1)) as Handshake };
}
