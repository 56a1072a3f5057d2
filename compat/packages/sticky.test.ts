import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { next } from "../../test/support/waiting/events.ts";
import { upgraded } from "../../test/support/server/clients.ts";
import { unsupported } from "../support/cell.ts";
import { Cluster, eventually } from "./support/cluster.ts";
import { connect, published } from "./support/published.ts";

published("@socket.io/sticky", (host) => {
  if (host === "uws") {
    const reason =
      "the primary process passes TCP connections to a node:http server, and uWebSockets.js cannot accept them";
    unsupported("serves all workers on one port", reason);
    return;
  }

  describe("three workers of node:cluster on one port", () => {
    const cluster = new Cluster();
    before("start the workers", async () => {
      await cluster.startWorkers(host, { adapter: "cluster", worker: "sticky-worker.mjs", sticky: true }, 3);
      await cluster.complete();
    });
    after("stop the workers", () => cluster.stop());

    /**
     * Opens clients that retry: the client can get the id of its session before the primary does, which then may pass the
     * second request to another worker, or to a dying one.
     */
    const open = async (options: object, count = 6): Promise<Socket[]> => {
      const patient = { reconnection: true, reconnectionDelay: 20, timeout: 2000 };
      const clients = Array.from({ length: count }, () =>
        connect(cluster.node(0).url, { ...patient, ...options }),
      );
      await Promise.all(clients.map((client) => next(client, "connect")));
      return clients;
    };

    it("keeps long-polling clients on their worker, and uses every worker", async () => {
      const clients = await open({ transports: ["polling"] });
      const workers = new Set<string>();
      for (const client of clients) {
        const pids = [];
        for (let times = 0; times < 5; times++) pids.push(await client.emitWithAck("worker"));
        assert.equal(new Set(pids).size, 1);
        workers.add(String(pids[0]));
      }
      assert.equal(workers.size, 3);
    });

    it("upgrades a client to WebSocket on its worker", async () => {
      const clients = await open({ transports: ["polling", "websocket"] });
      for (const client of clients) {
        const before = await client.emitWithAck("worker");
        await upgraded(client);
        assert.equal(await client.emitWithAck("worker"), before);
      }
    });

    it("distributes WebSocket clients over the workers", async () => {
      const clients = await open({ transports: ["websocket"] });
      const workers = await Promise.all(clients.map((client) => client.emitWithAck("worker")));
      assert.equal(new Set(workers).size, 3);
    });

    it("receives a POST in several chunks", async () => {
      const [client] = await open({ transports: ["polling"] }, 1);
      const large = "0123456789".repeat(30_000);
      assert.equal(await client?.emitWithAck("length", large), large.length);
      const bytes = Buffer.alloc(200_000, 7);
      assert.equal(await client?.emitWithAck("length", bytes), bytes.length);
    });

    it("sends a broadcast of one worker to the clients of all", async () => {
      const clients = await open({ transports: ["polling"] });
      const heard = clients.map((client) => next(client, "hello"));
      clients[0]?.emit("shout", "hello", Buffer.from("all"));
      for (const [data] of await Promise.all(heard)) assert.deepEqual(data, Buffer.from("all"));
    });

    it("moves clients of a killed worker to the others", async () => {
      const clients = await open({ transports: ["websocket"] });
      const victim = cluster.node(0);
      const pid = await victim.listening.call("pid");
      const workers = await Promise.all(clients.map((client) => client.emitWithAck("worker")));
      const lost = clients.filter((_, number) => workers[number] === pid);
      assert.ok(lost.length > 0);
      const gone = lost.map((client) => next(client, "disconnect"));
      await victim.kill();
      await Promise.all(gone);
      await Promise.all(lost.map((client) => eventually(async () => client.connected, Boolean)));
      const now = await Promise.all(clients.map((client) => client.emitWithAck("worker")));
      assert.equal(new Set(now).size, 2);
      assert.ok(!now.includes(pid));
    });
  });
});
