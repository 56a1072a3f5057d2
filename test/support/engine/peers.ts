import assert from "node:assert/strict";
import type { Session } from "./types.ts";
import { PATIENCE, within } from "../waiting/queue.ts";
import { RawWebSocket } from "../wire/raw-websocket.ts";
import type { StartedEngine } from "./started-engine.ts";
import type { WireRequest, WireResponse, WireSocket } from "../wire/client.ts";

/** The JSON of the open packet. */
export interface Handshake {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload: number;
}

/** A pending poll. */
export interface ParkedPoll {
  answer: Promise<WireResponse>;
}

/** An Engine.IO client over long-polling, made of plain requests, with its session on the server. */
export class PollingPeer {
  readonly server: StartedEngine;
  readonly session: Session;
  readonly handshake: Handshake;
  readonly sid: string;

  private constructor(server: StartedEngine, session: Session, handshake: Handshake) {
    this.server = server;
    this.session = session;
    this.handshake = handshake;
    this.sid = handshake.sid;
  }

  static async open(server: StartedEngine, request?: WireRequest): Promise<PollingPeer> {
    const response = await server.client.get(server.path("transport=polling"), request);
    assert.equal(response.status, 200, response.body);
    const [open = ""] = response.body.split("\x1e");
    assert.equal(open[0], "0");
    return new PollingPeer(server, await server.nextSession(), JSON.parse(open.slice(1)) as Handshake);
  }

  get path(): string {
    return this.server.path(`transport=polling&sid=${this.sid}`);
  }

  get websocketPath(): string {
    return this.server.path(`transport=websocket&sid=${this.sid}`);
  }

  get(request?: WireRequest): Promise<WireResponse> {
    return this.server.client.get(this.path, request);
  }

  /** The body of the next poll; fails unless its status is 200. */
  async poll(): Promise<string> {
    const response = await within(this.get(), "a poll to be answered");
    assert.equal(response.status, 200, response.body);
    return response.body;
  }

  post(body: string | Buffer, request?: WireRequest): Promise<WireResponse> {
    return this.server.client.post(this.path, body, request);
  }

  /** Posts a payload; fails unless the server accepts it. */
  async send(body: string): Promise<void> {
    const response = await this.post(body);
    assert.equal(`${response.status} ${response.body}`, "200 ok");
  }

  /** Sends a poll and waits until the server holds it. */
  async park(request?: WireRequest): Promise<ParkedPoll> {
    const answer = this.get(request);
    // a test that ends first aborts the poll
    answer.catch(() => {});
    await parked(this.session);
    return { answer };
  }

  /** Polls until this many packets other than noop have arrived, and returns them. */
  async pollPackets(count: number): Promise<string[]> {
    const packets: string[] = [];
    while (packets.length < count) {
      packets.push(...packetsOf(await this.poll()));
    }
    return packets;
  }

  /** A WebSocket for this session on which the probe was answered. */
  async probe(): Promise<WireSocket> {
    const socket = await this.server.client.websocket(this.websocketPath);
    socket.sendText("2probe");
    assert.equal(await socket.next(), "3probe");
    return socket;
  }
}

/** The packets of a payload, without noops. */
export function packetsOf(payload: string): string[] {
  return payload.split("\x1e").filter((packet) => packet !== "6");
}

/** Resolves once a poll is parked on the server, that is, its transport can be written to. */
export async function parked(session: Session): Promise<void> {
  await until(() => session.transport.writable, "a poll to be parked");
}

/** Waits until the condition holds, for states that no event announces. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!condition()) {
    if (Date.now() > deadline) {
      throw new Error(`waited ${PATIENCE} ms in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** An Engine.IO client that starts with a WebSocket. */
export interface WebSocketPeer {
  socket: WireSocket;
  session: Session;
  handshake: Handshake;
}

export async function openWebSocket(server: StartedEngine, request?: WireRequest): Promise<WebSocketPeer> {
  const socket = await server.client.websocket(server.path("transport=websocket"), request);
  const open = await socket.next();
  assert.ok(typeof open === "string" && open.startsWith("0{"), String(open));
  return { socket, session: await server.nextSession(), handshake: JSON.parse(open.slice(1)) as Handshake };
}

/** A WebSocket with the abilities of a network client: hand-made frames, pauses. For tests that need "tcp". */
export async function rawWebSocket(
  server: StartedEngine,
  path: string,
  request?: WireRequest,
): Promise<RawWebSocket> {
  const socket = await server.client.websocket(path, request);
  assert.ok(socket instanceof RawWebSocket, "a WebSocket over a network");
  return socket;
}

/** Everything that the session receives from now on, in order. */
export function received(session: Session): (string | Buffer)[] {
  const messages: (string | Buffer)[] = [];
  session.on("message", (data: string | Buffer) => messages.push(data));
  return messages;
}
