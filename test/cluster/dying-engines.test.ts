// Nodes whose engine is killed at random moments: while they start, while they work, while they close. No promise is rejected without
// somebody who handles it. ENGINE_DEATHS sets how often each engine dies.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cluster } from "@tidewire/cluster";
import type { Backend } from "@tidewire/cluster";
import { nats } from "@tidewire/cluster-nats";
import { postgres } from "@tidewire/cluster-postgres";
import { redis } from "@tidewire/cluster-redis";
import { Server } from "@tidewire/server";
import { connect as connectNats } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { createClient } from "redis";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import type { BackendServer } from "../support/backends/backend-suite.ts";
import { NatsServer, describeWithNats } from "../support/nats/nats-server.ts";
import { PostgresServer, describeWithPostgres } from "../support/postgres/postgres-server.ts";
import { noteUncaught } from "../support/process/uncaught.ts";
import { RedisServer, describeWithRedis } from "../support/redis/redis-server.ts";
import { within } from "../support/waiting/queue.ts";

const DEATHS = Number(process.env["ENGINE_DEATHS"] ?? 2);
const SECRET = "a secret that all nodes share";
const LEASE = 1000;
/** Within this many ms a node starts, works and closes. */
const LIFE = 150;
const ROOMS = ["red", "green", "blue"];

/** The connection of an application. */
interface Connected {
  readonly backend: Backend;
  close(): Promise<unknown>;
}

type Connect = (port: number) => Promise<Connected>;

const soon = (): Promise<void> => delay(Math.random() * LIFE);
const ignore = (): void => {};

/** A node with a client, which does something all the time. */
class Node {
  readonly io: Server;
  readonly #connected: Connected;
  readonly #client: Socket;
  readonly #timer: NodeJS.Timeout;

  /** @param withJournal - whether it recovers clients, if its engine has a journal */
  constructor(connected: Connected, name: string, address: string, directory: string, withJournal: boolean) {
    this.#connected = connected;
    const listen = { host: address, secret: SECRET };
    const recovers = withJournal && connected.backend.journal !== undefined;
    this.io = new Server(0, {
      host: "node",
      ...(recovers ? { connectionStateRecovery: {} } : {}),
      cluster: cluster({ name, listen, directory: join(directory, address), backend: connected.backend }),
    });
    this.io.cluster!.on("away", ignore);
    const { port } = this.io.httpServer.address() as { port: number };
    this.#client = connect(`http://localhost:${port}`, { forceNew: true, transports: ["websocket"] });
    this.#timer = setInterval(() => this.#work(), 2);
  }

  #work(): void {
    const { io } = this;
    const room = ROOMS[Math.floor(Math.random() * ROOMS.length)]!;
    io.emit("said", room);
    io.to(room).emit("said", "x".repeat(Math.random() * 10_000));
    for (const socket of io.sockets.sockets.values()) {
      void (Math.random() < 0.5 ? socket.join(room) : socket.leave(room));
      io.to(socket.id).emit("said");
    }
    // Another node may not answer in time.
    io.timeout(100).fetchSockets().catch(ignore);
    io.in(room).count().catch(ignore);
    io.serverSideEmit("said");
    // What it has missed is read.
    if (Math.random() < 0.02) this.#client.io.engine?.close();
  }

  /** It works until the end. */
  async close(): Promise<void> {
    const closed = this.io.close();
    await delay(Math.random() * 20);
    clearInterval(this.#timer);
    this.#client.disconnect();
    await within(closed, "a node to close");
    await this.#connected.close();
  }
}

function describeDeaths(start: () => Promise<BackendServer>, clients: Record<string, Connect>): void {
  let server: BackendServer;
  let folder: string;

  before(async () => {
    server = await start();
    folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, connectTo] of Object.entries(clients)) {
    it(`with a client of ${name}`, async function () {
      this.timeout(60_000 + DEATHS * 10_000);
      using uncaught = noteUncaught();
      for (let death = 0; death < DEATHS; death++) {
        const all = [await connectTo(server.port), await connectTo(server.port)];
        const [one, other] = all.map(
          (each, index) => new Node(each, `death-${death}`, `127.0.0.${index + 2}`, folder, death % 2 === 0),
        ) as [Node, Node];
        await soon();
        await server.kill();
        await soon();
        const closing = one.close();
        await soon();
        await Promise.all([server.start(), closing]);
        await soon();
        await other.close();
      }
      // Those of the last close come a turn later.
      await delay(1);
      assert.deepEqual(uncaught.errors, []);
    });
  }
}

describe("when its engine dies at any moment, a node handles every rejection", () => {
  describeWithRedis("of Redis", () => {
    describeDeaths(() => RedisServer.start(), {
      ioredis: async (port) => {
        const client = new Redis({ port, retryStrategy: () => 50 });
        client.on("error", ignore);
        return { backend: redis({ client, lease: LEASE }), close: async () => client.disconnect() };
      },
      redis: async (port) => {
        const client = createClient({ socket: { port, reconnectStrategy: 50 } });
        client.on("error", ignore);
        await client.connect();
        return { backend: redis({ client, lease: LEASE }), close: async () => client.destroy() };
      },
    });
  });

  describeWithNats("of NATS", () => {
    describeDeaths(() => NatsServer.start(), {
      "@nats-io/transport-node": async (port) => {
        const connection = await connectNats({ port, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
        return { backend: nats({ connection, lease: LEASE }), close: () => connection.close() };
      },
    });
  });

  describeWithPostgres("of PostgreSQL", () => {
    describeDeaths(() => PostgresServer.start(), {
      pg: async (port) => {
        const pool = new Pool({ host: "127.0.0.1", port, user: "test", database: "postgres" });
        pool.on("error", ignore);
        return { backend: postgres({ pool, lease: LEASE }), close: () => pool.end() };
      },
    });
  });
});
