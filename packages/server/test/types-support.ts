import type { Server, Socket } from "@tidewire/server";

/** The events of an application, as its author declares them. */
export interface ClientToServer {
  hello: () => void;
  say: (text: string) => void;
  ask: (question: string, answer: (value: number) => void) => void;
}
export interface ServerToClient {
  hello: () => void;
  news: (text: string, at: Date) => void;
  message: (text: string) => void;
  check: (answer: (ok: boolean) => void) => void;
  checkWithError: (answer: (err: Error, ok: boolean) => void) => void;
  ping: (answer: () => void) => void;
  locate: (id: number, answer: (place: string, floor: number) => void) => void;
}
export interface BetweenServers {
  ping: (answer: (pong: string) => void) => void;
  pingWithError: (count: number, answer: (err: Error, pong: string) => void) => void;
  note: (text: string) => void;
}
export interface Data {
  name: string;
}

export type TypedServer = Server<ClientToServer, ServerToClient, BetweenServers, Data>;
export type TypedSocket = Socket<ClientToServer, ServerToClient, BetweenServers, Data>;

/** Checked by the compiler, never run. */
export function checked(_use: () => unknown): void {}
