import { createRequire } from "node:module";
import { within } from "../waiting/queue.ts";

/** What the clients of all versions have in common, as far as tests use it. */
export interface AnyClient {
  readonly connected: boolean;
  readonly io: {
    readonly engine: {
      readonly transport: { readonly name: string };
      once(event: "upgrade", listener: () => void): unknown;
    };
  };
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  close(): unknown;
}

export interface AnyClientOptions {
  readonly transports?: readonly string[];
  readonly extraHeaders?: Readonly<Record<string, string>>;
  readonly reconnection?: boolean;
  readonly reconnectionDelay?: number;
  readonly reconnectionDelayMax?: number;
}

type Open = (url: string, options: object) => AnyClient;

const require = createRequire(import.meta.url);

/** The clients that there are, by the version of socket.io-client. */
export const clientVersions: Readonly<Record<string, Open>> = {
  "2": require("socket.io-client-v2") as Open,
  "3": (require("socket.io-client-v3") as { io: Open }).io,
  "4": (require("socket.io-client") as { io: Open }).io,
};

export function openAnyClient(version: string, url: string, options: AnyClientOptions = {}): AnyClient {
  // Newer Nodes have a WebSocket of their own; version 2 has to use the one that it was published with.
  return clientVersions[version]!(url, { forceNew: true, forceNode: true, reconnection: false, ...options });
}

/** Resolves when it is connected; rejects with what it is told otherwise. */
export async function anyConnected(client: AnyClient): Promise<void> {
  if (client.connected) return;
  const connected = new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  await within(connected, "the client to connect");
}

/** Resolves when it runs on WebSocket. */
export async function anyUpgraded({ io: { engine } }: AnyClient): Promise<void> {
  if (engine.transport.name === "websocket") return;
  await within(new Promise<void>((resolve) => engine.once("upgrade", resolve)), "the upgrade");
}

/** Emits an event and waits for the answer. */
export function ask<T>(client: AnyClient, event: string, ...args: unknown[]): Promise<T> {
  const answer = new Promise<T>((resolve) => void client.emit(event, ...args, resolve));
  return within(answer, `the answer to ${event}`);
}
