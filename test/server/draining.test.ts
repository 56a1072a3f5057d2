import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Server } from "@tidewire/server";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { connected, onEveryTransport, pair } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";
import { serverHosts, serverHostsAndApp } from "../support/server/hosts.ts";
import { serve } from "../support/server/serve.ts";
import { socketio } from "../support/server/socketio.ts";
import type { ClientSocket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";
import { within } from "../support/waiting/queue.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

const POLLING = "/socket.io/?EIO=4&transport=polling";

const draining = (running: StartedServer): Server => running.io as unknown as Server;

async function clients(running: StartedServer, count: number): Promise<ClientSocket[]> {
  const all = Array.from({ length: count }, () => running.client({ transports: ["websocket"] }));
  await Promise.all(all.map(connected));
  return all;
}

onEveryHost("io.drain()", serverHostsAndApp, (host) => {
  onEveryTransport((_name, mode) => {
    it("closes the connection of a client, which gets what was sent to it, and would reconnect", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const received: string[] = [];
      client.on("news", (text: string) => received.push(text));
      const left = next(client, "disconnect");
      const gone = next(socket, "disconnect");
      socket.emit("news", "one");
      const drained = draining(running).drain({ every: 10 });
      socket.emit("news", "two");
      assert.deepEqual((await gone)[0], "server shutting down");
      assert.equal((await left)[0], "transport close");
      assert.deepEqual(received, ["one", "two"]);
      // It has not been disconnected on purpose, and would reconnect.
      assert.equal(client.active, true);
      await within(drained, "the drain");
      assert.equal(running.io.engine.clientsCount, 0);
    });
  });

  it("refuses new clients with 503 and Retry-After, and serves those that are connected", async () => {
    await using running = await host.start();
    const pairs = [await pair(running, { transports: ["polling"] }), await pair(running)];
    for (const { socket } of pairs)
      socket.on("echo", (text: string, answer: (text: string) => void) => answer(text));
    const stop = new AbortController();
    const drained = draining(running).drain({ every: 60_000, batch: 1, within: 60_000, signal: stop.signal });
    await collectDisconnects(
      pairs.map(({ client }) => client),
      1,
    );
    using wire = new NetworkClient(running.port);
    const { status, headers } = await wire.get(POLLING, { headers: { connection: "keep-alive" } });
    assert.deepEqual([status, headers["retry-after"], headers.connection], [503, "1", "close"]);
    await assert.rejects(wire.websocket("/socket.io/?EIO=4&transport=websocket"));
    const left = pairs.find(({ client }) => client.connected)!;
    assert.equal(await left.client.emitWithAck("echo", "hello"), "hello");
    stop.abort(new Error("stay"));
    await assert.rejects(drained, { message: "stay" });
  });

  it("lets clients go in batches", async () => {
    await using running = await host.start();
    const all = await clients(running, 5);
    const io = draining(running);
    void io.drain({ batch: 2, every: 60_000, within: 60_000 });
    await collectDisconnects(all, 2);
    assert.equal(io.engine.clientsCount, 3);
  });

  it("takes a share of the clients as the size of a batch", async () => {
    await using running = await host.start();
    const all = await clients(running, 4);
    const io = draining(running);
    void io.drain({ batch: "50%", every: 60_000 });
    await collectDisconnects(all, 2);
    assert.equal(io.engine.clientsCount, 2);
  });

  it("lets everybody go within the time, by default", async () => {
    await using running = await host.start();
    await clients(running, 6);
    const io = draining(running);
    await within(io.drain({ within: 200, every: 20 }), "the drain");
    assert.equal(io.engine.clientsCount, 0);
  });

  it("cuts off a client that does not read, when the time is over", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    wire.pause();
    for (let i = 0; i < 200; i++) socket.emit("large", Buffer.alloc(100_000));
    const io = draining(running);
    await within(io.drain({ within: 300, every: 10 }), "the drain");
    assert.equal(io.engine.clientsCount, 0);
  });

  it("disconnects clients that have joined no namespace", async () => {
    await using running = await host.start();
    using wire = new NetworkClient(running.port);
    await wire.get(POLLING);
    assert.equal(running.io.engine.clientsCount, 1);
    await within(draining(running).drain({ every: 10, within: 200 }), "the drain");
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("emits drain while the clients are still connected", async () => {
    await using running = await host.start();
    await clients(running, 2);
    const io = draining(running);
    const seen: unknown[] = [];
    io.on("drain", () => seen.push(io.draining, io.ready, io.engine.clientsCount, io.sockets.sockets.size));
    await io.drain({ every: 10 });
    assert.deepEqual(seen, [true, false, 2, 2]);
  });

  it("returns the same promise while it drains", async () => {
    await using running = await host.start();
    const io = draining(running);
    const drained = io.drain();
    assert.equal(io.drain(), drained);
    await drained;
    assert.equal(io.draining, true);
  });

  it("accepts clients again once the signal has stopped it", async () => {
    await using running = await host.start();
    const [first, second] = await clients(running, 2);
    const io = draining(running);
    const stop = new AbortController();
    const drained = io.drain({ batch: 1, every: 60_000, signal: stop.signal });
    await collectDisconnects([first!, second!], 1);
    stop.abort();
    await assert.rejects(drained, { name: "AbortError" });
    assert.deepEqual([io.draining, io.ready, io.engine.clientsCount], [false, true, 1]);
    await clients(running, 1);
  });

  it("does not wait for the next batch when a listener of the last client stops it", async () => {
    await using running = await host.start();
    const stop = new AbortController();
    running.io.on("connection", (socket) => socket.on("disconnect", () => stop.abort()));
    await clients(running, 2);
    const drained = draining(running).drain({ batch: 1, every: 60_000, signal: stop.signal });
    await assert.rejects(within(drained, "the end of the drain"), { name: "AbortError" });
  });
});

onEveryHost("a client that was drained", serverHosts, (host) => {
  it("reconnects, and recovers what it has missed, once the server accepts clients again", async () => {
    await using running = await host.start({ connectionStateRecovery: {} });
    const { client, socket } = await pair(running, { reconnection: true, reconnectionDelay: 10 });
    void socket.join("room");
    // Recovery needs an offset.
    const first = next(client, "news");
    running.io.to("room").emit("news", 1);
    await first;
    const io = draining(running);
    const stop = new AbortController();
    const left = next(client, "disconnect");
    const drained = io.drain({ every: 60_000, within: 60_000, signal: stop.signal });
    await left;
    running.io.to("room").emit("news", 2);
    const missed = next(client, "news");
    const back = next(client, "connect");
    stop.abort(new Error("stay"));
    await drained.catch(() => {});
    await back;
    assert.equal(client.recovered, true);
    assert.equal((await missed)[0], 2);
  });
});

describe("the options of io.drain()", () => {
  it("throws for values that mean nothing", () => {
    const io = new socketio.Server() as unknown as Server;
    for (const options of [
      { within: -1 },
      { batch: 0 },
      { batch: "0%" },
      { batch: "many" },
      { every: "soon" },
    ]) {
      assert.throws(() => io.drain(options as never), { code: "INVALID_OPTION" });
    }
  });

  it("rejects on a server that is not attached", async () => {
    const io = new socketio.Server() as unknown as Server;
    await assert.rejects(io.drain(), { code: "NOT_ATTACHED" });
    assert.equal(io.draining, false);
  });

  it("rejects with the reason of a signal that is aborted already", async () => {
    await using running = await serverHosts[0]!.start();
    const io = draining(running);
    await assert.rejects(io.drain({ signal: AbortSignal.abort(new Error("no")) }), { message: "no" });
    assert.equal(io.draining, false);
  });
});

describe("io.readiness()", () => {
  it("answers 200 until the server drains, then 503", async () => {
    const http = createServer();
    const io = new socketio.Server(http);
    const ready = (io as unknown as Server).readiness();
    http.on("request", (req, res) => {
      if (req.url === "/ready") ready(req, res);
    });
    await using running = await serve(io, http);
    using wire = new NetworkClient(running.port);
    const before = await wire.get("/ready");
    assert.deepEqual([before.status, before.body], [200, '{"ready":true,"draining":false,"clients":0}']);
    await draining(running).drain();
    const after = await wire.get("/ready");
    assert.deepEqual([after.status, after.body], [503, '{"ready":false,"draining":true,"clients":0}']);
  });
});

/** Resolves once so many of the clients are disconnected. */
function collectDisconnects(all: readonly ClientSocket[], count: number): Promise<void> {
  return within(
    new Promise<void>((resolve) => {
      let left = 0;
      for (const client of all) {
        client.on("disconnect", () => {
          left++;
          if (left === count) resolve();
        });
      }
    }),
    "clients to leave",
  );
}
