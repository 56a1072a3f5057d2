import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import { assertOrigin, failure, reporting, startReporting, ways } from "../support/server/on-error.ts";
import type { WithOnError } from "../support/server/on-error.ts";
import { connected, pair, settled } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { uncaught } from "../support/process/uncaught.ts";

const webSocket = { transports: ["websocket"] };

/** An adapter whose other server answers at once. */
class Answering extends Adapter {
  override serverSideEmit([, ack]: unknown[]): void {
    (ack as (error: null, answers: unknown[]) => void)(null, ["pong"]);
  }
}

onEveryHost("io.onError, for callbacks", serverHosts, (host) => {
  for (const [how, fail] of Object.entries(ways)) {
    describe(`is called for what ${how}:`, () => {
      it("the callback of a broadcast that was answered", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        client.on("q", (answer: () => void) => answer());
        io.timeout(10_000).emit("q", fail);
        assertOrigin(await reported(), "acknowledgement", "q");
        await settled(client, socket);
      });

      it("the callback of a broadcast that timed out", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        io.to(socket.id).timeout(1).emit("unanswered", fail);
        assertOrigin(await reported(), "acknowledgement", "unanswered");
        await settled(client, socket);
      });

      it("the callback of a broadcast that nobody receives", async () => {
        await using reporter = await startReporting(host);
        const { io, reported } = reporter;
        io.timeout(10_000).emit("q", fail);
        assertOrigin(await reported(), "acknowledgement", "q");
      });

      it("the callback of serverSideEmit()", async () => {
        await using reporter = await startReporting(host, { adapter: Answering });
        const { io, reported } = reporter;
        io.serverSideEmit("ping", fail);
        assertOrigin(await reported(), "acknowledgement", "ping");
      });

      it("a listener of an event of another server; the others still receive it", async () => {
        await using reporter = await startReporting(host);
        const { io, reported } = reporter;
        io.on("hello", fail);
        const heard = next(io, "hello");
        (io.sockets as unknown as { _onServerSideEmit(event: unknown[]): void })._onServerSideEmit([
          "hello",
          1,
        ]);
        assert.deepEqual(await heard, [1]);
        assertOrigin(await reported(), "listener", "hello");
      });

      it("an acknowledgement that was requested before there was a handler", async () => {
        await using running = await host.start();
        const { client, socket } = await pair(running, webSocket);
        const asked = next<[() => void]>(client, "q");
        socket.emit("q", fail);
        socket.timeout(1).emit("unanswered", fail);
        const { reported } = reporting(running);
        (await asked)[0]();
        const events = new Set([(await reported()).event, (await reported()).event]);
        assert.deepEqual(events, new Set(["q", "unanswered"]));
        await settled(client, socket);
      });
    });
  }

  it("is called for a listener of the adapter that throws, and the socket joins", async () => {
    await using reporter = await startReporting(host);
    const { running, io, reported } = reporter;
    io.sockets.adapter.once("join-room", ways.throws);
    const { client, socket } = await pair(running, webSocket);
    assertOrigin(await reported(), "connection", undefined, socket);
    await settled(client, socket);
  });

  it("is called when the function that decides about namespaces rejects; the next one is called", async () => {
    await using reporter = await startReporting(host);
    const { running, io, reported } = reporter;
    io.of(ways.rejects);
    io.of((name, _auth, decide) => decide(null, name === "/second"));
    const [denied, accepted] = ["/first", "/second"].map((name) => running.client(webSocket, name));
    const refusal = next<[Error]>(denied, "connect_error");
    await connected(accepted!);
    assertOrigin(await reported(), "connection", undefined);
    assertOrigin(await reported(), "connection", undefined);
    assert.equal((await refusal)[0].message, "Invalid namespace");
  });

  it("keeps an answer from before it rejected", async () => {
    await using reporter = await startReporting(host);
    const { running, io, reported } = reporter;
    io.of((_name, _auth, decide) => {
      decide(null, true);
      return ways.rejects() as void;
    });
    await connected(running.client(webSocket, "/any"));
    assertOrigin(await reported(), "connection", undefined);
  });

  it("is not called for what emitWithAck() rejects with", async () => {
    await using running = await host.start();
    const { socket } = await pair(running, webSocket);
    (running.io as unknown as WithOnError).onError((error) => assert.fail(String(error)));
    await assert.rejects(socket.timeout(1).emitWithAck("q"), /operation has timed out/);
    await assert.rejects(running.io.timeout(1).emitWithAck("q"), /operation has timed out/);
  });
});

onEveryHost("without io.onError, for callbacks", serverHosts, (host) => {
  for (const [how, fail] of Object.entries(ways)) {
    it(`an acknowledgement that ${how} surfaces, answered or timed out, and the connection stays`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, webSocket);
      client.on("q", (answer: () => void) => answer());
      const surfaced = uncaught(2);
      socket.emit("q", fail);
      socket.timeout(1).emit("unanswered", fail);
      assert.deepEqual(await surfaced, [failure, failure]);
      await settled(client, socket);
    });

    it(`the callback of a broadcast that ${how} surfaces, answered or timed out`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, webSocket);
      client.on("q", (answer: () => void) => answer());
      const surfaced = uncaught(2);
      running.io.timeout(10_000).emit("q", fail);
      running.io.timeout(1).emit("unanswered", fail);
      assert.deepEqual(await surfaced, [failure, failure]);
      await settled(client, socket);
    });
  }
});
