// How much a client may send, and how many rooms a socket may be in.
import assert from "node:assert/strict";
import type { Limits, LimitReport, Server as OwnServer } from "@tidewire/server";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { openOldClient } from "../support/server/old-clients.ts";
import { msgpack } from "../support/server/parsers.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";

type RefusedAnswer = { error: { code: string; message: string; limit: number } };

/** So slow that nothing is made up for within a test. */
const rate = 0.001;

function refusals(running: StartedServer): string[] {
  const codes: string[] = [];
  running.io.on("limit_exceeded" as never, (({ code }: LimitReport) => codes.push(code)) as never);
  return codes;
}

function countsOf(running: StartedServer): Readonly<Record<string, number>> {
  return (running.io as unknown as OwnServer)._limitMonitor.counts;
}

/** The events that the socket hears from now on, without their callbacks, which are called. */
function heardBy(socket: Socket): unknown[][] {
  const heard: unknown[][] = [];
  socket.onAny((...event: unknown[]) => {
    const answer = event.at(-1);
    heard.push(typeof answer === "function" ? event.slice(0, -1) : event);
    if (typeof answer === "function") answer("ok");
  });
  return heard;
}

/** Resolves when the client has sent what it had to send, and the server has handled it. */
async function handled({ client, socket }: Pair): Promise<void> {
  const left = next(socket, "disconnect");
  client.disconnect();
  await left;
}

onEveryHost("eventsPerSecond", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("drop: hands the burst over and drops the rest", async () => {
      await using running = await host.start({
        limits: { eventsPerSecond: { rate, burst: 3, over: "drop" } },
      });
      const codes = refusals(running);
      const both = await pair(running, mode);
      const heard = heardBy(both.socket);
      both.socket.on("error", () => assert.fail("an error"));
      for (let i = 0; i < 10; i++) both.client.emit("n", i);
      await handled(both);
      assert.deepEqual(heard, [
        ["n", 0],
        ["n", 1],
        ["n", 2],
      ]);
      assert.deepEqual(codes, ["TOO_MANY_EVENTS"]);
      assert.deepEqual(countsOf(running), { TOO_MANY_EVENTS: 7 });
    });

    it("error, the default: tells both sides", async () => {
      await using running = await host.start({ limits: { eventsPerSecond: { rate, burst: 1 } } });
      const { client, socket } = await pair(running, mode);
      const heard = heardBy(socket);
      assert.equal(await client.emitWithAck("first", Buffer.from("x")), "ok");
      const failed = next<[Error & { code: string; limit: number }]>(socket, "error");
      const { error } = (await client.emitWithAck("second", Buffer.from("x"))) as RefusedAnswer;
      assert.deepEqual(error, { code: "TOO_MANY_EVENTS", message: "Too many events", limit: rate });
      const [{ name, code, limit }] = await failed;
      assert.deepEqual([name, code, limit], ["LimitError", "TOO_MANY_EVENTS", rate]);
      assert.deepEqual(heard, [["first", Buffer.from("x")]]);
      assert.equal(client.connected, true);
    });

    it("disconnect: closes the connection", async () => {
      await using running = await host.start({
        limits: { eventsPerSecond: { rate, burst: 2, over: "disconnect" } },
      });
      const { client, socket } = await pair(running, mode);
      const heard = heardBy(socket);
      const gone = next<[string, Error & { code: string; limit: number; namespace: string }]>(
        socket,
        "disconnect",
      );
      const told = next(client, "disconnect");
      for (let i = 0; i < 10; i++) client.emit("n", i);
      const [reason, { code, limit, namespace }] = await gone;
      assert.deepEqual([reason, code, limit, namespace], ["forced close", "TOO_MANY_EVENTS", rate, "/"]);
      await told;
      assert.deepEqual(heard, [
        ["n", 0],
        ["n", 1],
      ]);
    });
  });

  it("counts all namespaces of a connection together, but no other connection", async () => {
    await using running = await host.start({ limits: { eventsPerSecond: { rate, burst: 1, over: "drop" } } });
    const one = await pair(running);
    const other = running.io.of("/other");
    const connection = next<[Socket]>(other, "connection");
    const second = one.client.io.socket("/other");
    running.closeWith(() => second.close());
    const [[socket]] = await Promise.all([connection, next(second, "connect")]);
    const heard = heardBy(socket);
    assert.equal(await withOk(one), "ok");
    second.emit("n", 1);
    second.disconnect();
    await next(socket, "disconnect");
    assert.deepEqual(heard, []);
    assert.equal(await withOk(await pair(running)), "ok");
  });

  it("is not met at its rate", async () => {
    await using running = await host.start({ limits: { eventsPerSecond: 1_000_000 } });
    const both = await pair(running);
    for (let i = 0; i < 100; i++) assert.equal(await withOk(both), "ok");
  });

  it("applies to clients of Socket.IO 2 and to other parsers", async () => {
    const limits: Limits = { eventsPerSecond: { rate, burst: 1 } };
    await using old = await host.start({ allowEIO3: true, limits });
    const client = openOldClient(old.url);
    old.closeWith(() => client.close());
    const [[socket]] = await Promise.all([next<[Socket]>(old.io, "connection"), next(client, "connect")]);
    heardBy(socket);
    const ask = (): Promise<unknown> => new Promise((resolve) => client.emit("ask", resolve));
    assert.equal(await ask(), "ok");
    assert.equal(((await ask()) as RefusedAnswer).error.code, "TOO_MANY_EVENTS");

    await using packed = await host.start({ parser: msgpack, limits });
    const both = await pair(packed, { parser: msgpack });
    assert.equal(await withOk(both), "ok");
    assert.equal(((await withOk(both)) as RefusedAnswer).error.code, "TOO_MANY_EVENTS");
  });
});

/** Asks, and is answered with "ok" by the first listener. */
function withOk({ client, socket }: Pair): Promise<unknown> {
  socket.removeAllListeners("ask");
  socket.once("ask", (answer: (text: string) => void) => answer("ok"));
  return client.emitWithAck("ask");
}

onEveryHost("bytesPerSecond", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("counts text and attachments", async () => {
      await using running = await host.start({
        limits: { bytesPerSecond: { rate, burst: 100_000, over: "drop" } },
      });
      const both = await pair(running, mode);
      const heard = heardBy(both.socket);
      both.client.emit("text", "x".repeat(60_000));
      both.client.emit("bytes", Buffer.alloc(30_000));
      both.client.emit("too much", Buffer.alloc(30_000));
      both.client.emit("fits");
      await handled(both);
      assert.deepEqual(
        heard.map(([name]) => name),
        ["text", "bytes", "fits"],
      );
      assert.deepEqual(countsOf(running), { TOO_MANY_BYTES: 1 });
    });
  });

  it("counts answers, which arrive all the same", async () => {
    await using running = await host.start({ limits: { bytesPerSecond: { rate, burst: 1000 } } });
    const both = await pair(running);
    both.client.on("question", (answer: (text: string) => void) => answer("x".repeat(900)));
    for (let i = 0; i < 2; i++) assert.equal((await both.socket.emitWithAck("question")).length, 900);
    const failed = next<[Error & { code: string }]>(both.socket, "error");
    both.client.emit("event", "x".repeat(900));
    assert.equal((await failed)[0].code, "TOO_MANY_BYTES");
  });

  it("disconnect: closes the connection, whatever the client sends", async () => {
    await using running = await host.start({
      limits: { bytesPerSecond: { rate, burst: 1000, over: "disconnect" } },
    });
    const { client, socket } = await pair(running);
    client.on("question", (answer: (text: string) => void) => answer("x".repeat(2000)));
    const gone = next<[string, Error & { code: string }]>(socket, "disconnect");
    socket.emit("question", () => {});
    const [reason, { code }] = await gone;
    assert.deepEqual([reason, code], ["forced close", "TOO_MANY_BYTES"]);
  });
});

onEveryHost("roomsPerSocket", serverHosts, (host) => {
  it("joins none of the rooms beyond it, and emits an error", async () => {
    await using running = await host.start({ limits: { roomsPerSocket: 2 } });
    const { socket } = await pair(running);
    await socket.join(["a", "b"]);
    await socket.join(["a", socket.id]);
    const failed = next<[Error & { code: string; limit: number }]>(socket, "error");
    const reported = next<[LimitReport]>(running.io, "limit_exceeded");
    await socket.join(["b", "c"]);
    const [{ code, limit }] = await failed;
    assert.deepEqual([code, limit], ["TOO_MANY_ROOMS", 2]);
    assert.equal((await reported)[0].socket, socket);
    assert.deepEqual([...socket.rooms], [socket.id, "a", "b"]);
    await socket.leave("a");
    await socket.join("c");
    assert.deepEqual([...socket.rooms], [socket.id, "b", "c"]);
  });

  it("applies to socketsJoin(), too", async () => {
    await using running = await host.start({ limits: { roomsPerSocket: 1 } });
    const { socket } = await pair(running);
    running.io.socketsJoin("a");
    running.io.socketsJoin("b");
    assert.deepEqual([...socket.rooms], [socket.id, "a"]);
    assert.deepEqual(countsOf(running), { TOO_MANY_ROOMS: 1 });
  });
});
