import { MemoryHost } from "@tidewire/engine";
import type { MemoryResponse, MemoryWebSocket } from "@tidewire/engine";
import { DrivenLoop } from "../../packages/engine/test/driven-loop.ts";
import type { Random } from "./random.ts";

/** Thrown by the application on purpose. Anything else that is thrown is a defect. */
export class Deliberate extends Error {}

/** What the clients and the application of one sequence share. */
export class World {
  readonly random: Random;
  readonly limits: Limits;
  readonly loop: DrivenLoop = new DrivenLoop();
  /** Where clients send their requests. */
  readonly host: MemoryHost;
  /** Whether what a client sent may arrive much later. */
  isSlow = false;
  /** Whether a WebSocket may be closed before its client can know. Clients that break no rule have none that is closed so. */
  isDistant = false;
  /** What happened, for the report of a failure. */
  readonly trace: string[] = [];
  /** What must not have happened. Collected, for the engine could swallow what a listener throws. */
  readonly failures: string[] = [];
  /** WebSockets the host has opened. */
  readonly sockets: MemoryWebSocket[] = [];
  /** Requests that have no answer yet. */
  readonly unanswered: Set<string> = new Set();

  constructor(random: Random, limits: Limits, host: MemoryHost = new MemoryHost()) {
    this.random = random;
    this.limits = limits;
    this.host = host;
  }

  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.failures.push(otherwise);
  }

  /** Calls into the engine: what the application threw on purpose ends here, as in a process that survives it. */
  call(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.caught(error);
    }
  }

  caught(error: unknown): void {
    if (!(error instanceof Deliberate))
      this.failures.push(`thrown: ${(error as Error).stack ?? String(error)}`);
  }
}

/** The options the model has to know. All in ms or bytes. */
export interface Limits {
  pingInterval: number;
  pingTimeout: number;
  upgradeTimeout: number;
  maxHttpBufferSize: number;
  maxBackpressure: number;
  maxReceiveBacklog: number;
  transports: ("polling" | "websocket")[];
}

/** Runs when every promise that could be settled is. */
export function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

const padding = "é€😀 abcdefghijklmnopqrstuvwxyz".repeat(8_000);

/** That many UTF-16 units at most, and no half of a pair. */
function pad(length: number): string {
  return padding.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** The message of that number, as text or as bytes. Its length differs from that of its neighbours. */
export function numbered(random: Random, mark: string, number: number, largest: number): string | Buffer {
  const size = random.weighted([
    [20, random.below(20)],
    [3, random.below(500)],
    [1, random.below(20_000)],
    [0.1, random.below(150_000)],
  ])!;
  const text = `${mark}:${number}:${pad(Math.min(size, largest))}`;
  return random.chance(0.3) ? Buffer.from(text) : text;
}

/** The number of a message; -1 for a damaged one, `undefined` for a foreign one. */
export function numberOf(mark: string, data: string | Buffer): number | undefined {
  const [found, number, rest] = data.toString().split(":");
  if (found !== mark || number === undefined) return undefined;
  return rest !== undefined && padding.startsWith(rest) ? Number(number) : -1;
}

/** What some engines send with the handshake. */
export const WELCOME = "welcome";

/** Data that has arrived at a client, until it reads. */
export type Arrival =
  | { kind: "poll" | "post"; response: MemoryResponse | undefined }
  | { kind: "frame"; socket: MemoryWebSocket; data: string | Buffer }
  | { kind: "opened"; socket: MemoryWebSocket | undefined }
  | { kind: "closed"; socket: MemoryWebSocket };

/** What a client could do now, and how likely it is to. */
export type Action = readonly [weight: number, name: string, run: () => void];
