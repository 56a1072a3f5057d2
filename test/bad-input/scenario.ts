import assert from "node:assert/strict";
import type { ConnectionError, EngineOptions, Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import type { TestNeeds } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import type { WebSocketPeer } from "../support/engine/peers.ts";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";
import { within } from "../support/waiting/queue.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireResponse, WireSocket } from "../support/wire/client.ts";
import { Neighbour } from "./neighbour.ts";
import { rowShownBy } from "./page.ts";
import type { Row } from "./page.ts";

export interface ScenarioNeeds extends TestNeeds {
  options?: EngineOptions;
  /** Starts the engine instead of `host.start()`. */
  start?: (host: EngineHost, options?: EngineOptions) => Promise<StartedEngine>;
}

/** Does what the client does in the row, and returns what it gets. */
export type Misdeed = (run: Run) => Promise<string>;

/** One bad input, its session, and what the server reports. */
export class Run {
  readonly server: StartedEngine;
  readonly host: EngineHost;
  /** The uncaught exceptions. */
  uncaught: unknown[] = [];
  #session: Session | undefined;
  #closed: string | undefined;
  #prove: (() => Promise<void>) | undefined;
  readonly #errors: ConnectionError[] = [];

  constructor(server: StartedEngine, host: EngineHost) {
    this.server = server;
    this.host = host;
    server.engine.on("connection_error", (error: ConnectionError) => this.#errors.push(error));
  }

  /** Sets the session of the row, which the test has opened itself. */
  adopt(session: Session): void {
    this.#watch(session, undefined);
  }

  /** Opens the session of the row over long-polling. */
  async polling(): Promise<PollingPeer> {
    const peer = await PollingPeer.open(this.server);
    this.#watch(peer.session, async () => {
      peer.session.send("down");
      assert.ok((await peer.pollPackets(1)).includes("4down"));
      const up = nextMessage(peer.session);
      await peer.send("4up");
      assert.equal(await up, "up");
    });
    return peer;
  }

  /** Opens it over a WebSocket. */
  async webSocket(): Promise<WebSocketPeer> {
    const peer = await openWebSocket(this.server);
    this.#watch(peer.session, () => proveOver(peer.socket, peer.session));
    return peer;
  }

  /** Opens it over a WebSocket that can send any frame. */
  async rawWebSocket(): Promise<{ socket: RawWebSocket; session: Session }> {
    const { socket, session } = await this.webSocket();
    assert.ok(socket instanceof RawWebSocket, "a WebSocket over a network");
    return { socket, session };
  }

  /** Tells the run that the session was upgraded to this WebSocket. */
  upgraded(socket: WireSocket): void {
    const session = this.#session!;
    this.#prove = () => proveOver(socket, session);
  }

  /** What the operator has learned so far, in the words of the page. */
  get learned(): string {
    const errors = this.#errors.map(written);
    const closed = this.#closed === undefined ? [] : [this.#closed];
    const uncaught = this.uncaught.length === 0 ? [] : ["uncaughtException"];
    return [...errors, ...closed, ...uncaught].join(" and ") || "–";
  }

  get state(): string {
    if (this.#session === undefined) return "none";
    return this.#session.readyState === "closed" ? "closed" : "stays open";
  }

  /** Exchanges a message each way, if the session is open. */
  async proveAlive(): Promise<void> {
    if (this.state === "stays open") await this.#prove?.();
  }

  leave(): void {
    this.#session?.close(true);
  }

  #watch(session: Session, prove: (() => Promise<void>) | undefined): void {
    this.#session = session;
    this.#prove = prove;
    let closes = 0;
    session.on("close", (reason: string, description: unknown) => {
      assert.equal(++closes, 1, "one close per session");
      const { code, message } = (description ?? {}) as { code?: string; message?: string };
      if (code === "WEBSOCKET_ERROR") assert.ok(message && message !== "websocket error", "a cause");
      this.#closed = code === undefined ? reason : `${reason}, ${code}`;
    });
  }
}

function written({ code, context = {} }: ConnectionError): string {
  const { name, reason } = context;
  const detail = typeof name === "string" ? name : `{ ${Object.keys(context).join(", ")} }`;
  return `connection_error ${code}, ${detail}${typeof reason === "string" ? `: ${reason}` : ""}`;
}

async function proveOver(socket: WireSocket, session: Session): Promise<void> {
  const up = nextMessage(session);
  socket.sendText("4up");
  assert.equal(await up, "up");
  session.send("down");
  let packet = await socket.next();
  while (packet === "2") packet = await socket.next();
  assert.equal(packet, "4down");
}

export function nextMessage(session: Session): Promise<unknown> {
  const next = new Promise((resolve) => session.once("message", resolve));
  return within(next, "a message on the server");
}

/** What the client got, in the words of the page: `400`, or `400 and {"code":…`. */
export function answered({ status, body }: WireResponse): string {
  return body === "" ? `${status}` : `${status} ${body}`;
}

/** The end of a WebSocket, in the words of the page. */
export async function ended(socket: WireSocket): Promise<string> {
  const { code, reason } = await within(socket.closed, "the WebSocket to close");
  return reason === "" ? `close ${code}` : `close ${code} ${reason}`;
}

async function settles(actual: () => string, expected: string): Promise<void> {
  await until(() => actual() === expected, expected).catch(() => {});
  assert.equal(actual(), expected);
}

/** The number of active timers. */
function timersOf(server: StartedEngine): number {
  return (server.engine as unknown as { clock: { timers: number } }).clock.timers;
}

async function play(row: Row, host: EngineHost, needs: ScenarioNeeds, misdeed: Misdeed): Promise<void> {
  const { options, start = (): Promise<StartedEngine> => host.start(options) } = needs;
  await using server = await start(host, options);
  await using neighbour = await Neighbour.of(server);
  const timers = timersOf(server);
  const run = new Run(server, host);
  const expected = row.outcome(host.name);
  assert.equal(await misdeed(run), expected.gets);
  await settles(() => run.learned, expected.learns);
  await settles(() => run.state, expected.session);
  await run.proveAlive();
  run.leave();
  await neighbour.sawNothing();
  await until(() => server.engine.clientsCount === 1, "the neighbour to be the only session");
  assert.deepEqual(Object.keys(server.engine.clients), [neighbour.id]);
  await until(() => timersOf(server) <= timers, "no deadline to be left");
}

/** Returns a function that declares the tests of a row of docs/limits-and-errors.md on every host. */
export function scenariosOf(
  testUrl: string,
): (title: string, variants: Record<string, Misdeed> | Misdeed, needs?: ScenarioNeeds) => void {
  return (title, variants, needs = {}) => {
    const row = rowShownBy(title, testUrl);
    onEveryHost(title, engineHosts, (host) => {
      const named = typeof variants === "function" ? { "has the outcome of the page": variants } : variants;
      for (const [name, misdeed] of Object.entries(named)) {
        host.it(name, needs, () => play(row, host, needs, misdeed));
      }
    });
  };
}
