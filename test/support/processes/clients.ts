import assert from "node:assert/strict";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { next } from "../waiting/events.ts";

/** Official clients of servers in a cluster, and what they lose. */
export class Clients {
  readonly all: readonly Socket[];
  /** Reasons of disconnections, and messages of refusals. */
  readonly losses: string[] = [];
  readonly #disconnected: Set<Socket> = new Set();
  readonly #lost: Set<Socket> = new Set();
  readonly #nodes: Promise<string>[];

  constructor(url: string, count: number, options: Partial<ManagerOptions & SocketOptions> = {}) {
    this.all = Array.from({ length: count }, () => connect(url, { forceNew: true, ...options }));
    this.#nodes = this.all.map(async (client) => (await next<[string]>(client, "node"))[0]);
    for (const client of this.all) {
      client.on("disconnect", (reason, details) => {
        this.#disconnected.add(client);
        if (isResetByKernel(details)) return;
        this.losses.push(reason);
        this.#lost.add(client);
      });
      client.on("connect_error", (error) => this.losses.push(error.message));
    }
  }

  /** The ids of the nodes that have their sessions, once all are connected. */
  nodes(): Promise<string[]> {
    return Promise.all(this.#nodes);
  }

  /**
   * Asserts that these were disconnected, by their indexes, and no others, apart from those whose new connection the kernel has reset.
   */
  assertLost(indexes: readonly number[]): void {
    const among = (sockets: Set<Socket>): number[] =>
      [...this.all.keys()].filter((index) => sockets.has(this.all[index]!));
    const disconnected = among(this.#disconnected);
    assert.deepEqual(
      indexes.filter((index) => !disconnected.includes(index)),
      [],
    );
    assert.deepEqual(
      among(this.#lost).filter((index) => !indexes.includes(index)),
      [],
    );
  }

  /** Resolves once all are on WebSocket. */
  async upgraded(): Promise<void> {
    for (const { io } of this.all)
      if (io.engine.transport.name !== "websocket") await next(io.engine, "upgrade");
  }

  /** Each client asks for echoes, one after the other. */
  async echo(times: number): Promise<void> {
    await Promise.all(
      this.all.map(async (client) => {
        for (let count = 0; count < times; count++)
          assert.equal(await client.emitWithAck("echo", count), count);
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const client of this.all) client.disconnect();
  }
}

/**
 * Whether a connection was lost that nobody had accepted: the kernel resets those that wait at a listening socket when that closes,
 * unless `net.ipv4.tcp_migrate_req` is 1.
 */
function isResetByKernel(details: unknown): boolean {
  const { context } = (details ?? {}) as { context?: { responseText?: string } };
  return /(?:connect|read) ECONNRESET/.test(String(context?.responseText));
}
