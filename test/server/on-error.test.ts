import assert from "node:assert/strict";
import { assertOrigin, failure, startReporting, ways } from "../support/server/on-error.ts";
import type { WithOnError } from "../support/server/on-error.ts";
import { connected, pair, settled } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { uncaught } from "../support/process/uncaught.ts";

const webSocket = { transports: ["websocket"] };

onEveryHost("io.onError", serverHosts, (host) => {
  for (const [how, fail] of Object.entries(ways)) {
    describe(`is called for what ${how}:`, () => {
      it("a listener of an event; the others still receive it", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        const heard = next(socket, "ev");
        socket.prependListener("ev", fail);
        client.emit("ev", 1);
        assert.deepEqual(await heard, [1]);
        assertOrigin(await reported(), "listener", "ev", socket);
        await settled(client, socket);
      });

      it("a listener, or a middleware, of an event whose name is a number: the handler gets text", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        socket.on("42", fail);
        client.emit(42 as never);
        assertOrigin(await reported(), "listener", "42", socket);
        socket.use(() => fail() as void);
        client.emit(42 as never);
        assertOrigin(await reported(), "socket middleware", "42", socket);
      });

      it("a listener of once(), which is called once", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        let calls = 0;
        socket.once("ev", () => {
          calls++;
          return fail();
        });
        client.emit("ev");
        client.emit("ev");
        assertOrigin(await reported(), "listener", "ev", socket);
        await settled(client, socket);
        assert.equal(calls, 1);
      });

      it("a listener of onAny()", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        socket.onAny((event) => (event === "ev" ? fail() : undefined));
        const heard = next(socket, "ev");
        client.emit("ev");
        await heard;
        assertOrigin(await reported(), "listener", "ev", socket);
      });

      it("a listener of onAnyOutgoing(); the event is sent, to the others, too", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        const [a, b] = [await pair(running, webSocket), await pair(running, webSocket)];
        a.socket.onAnyOutgoing((event) => (event === "ev" ? fail() : undefined));
        const heard = [next(a.client, "ev"), next(b.client, "ev"), next(a.client, "ev")];
        io.emit("ev");
        a.socket.emit("ev");
        await Promise.all(heard);
        assertOrigin(await reported(), "listener", "ev", a.socket);
        assertOrigin(await reported(), "listener", "ev", a.socket);
      });

      it("a listener of connection; that of connect was called, and the socket joins", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        io.on("connection", fail);
        const { client, socket } = await pair(running, webSocket);
        assertOrigin(await reported(), "connection", "connection", socket);
        await settled(client, socket);
      });

      it("a listener of disconnecting or disconnect", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        socket.on("disconnecting", fail);
        socket.on("disconnect", fail);
        client.disconnect();
        const events = [await reported(), await reported()].map(({ event }) => event);
        assert.deepEqual(events, ["disconnecting", "disconnect"]);
        assert.equal(running.io.sockets.sockets.size, 0);
      });

      it("a middleware of a namespace, and the client is refused", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        io.use(fail);
        const refused = next<[Error]>(running.client(webSocket), "connect_error");
        const { source, event, socket } = await reported();
        assert.deepEqual([source, event, socket?.nsp.name], ["middleware", undefined, "/"]);
        assert.equal((await refused)[0].message, "Internal server error");
      });

      it("a middleware of a namespace that has called next(), and the client joins", async () => {
        await using reporter = await startReporting(host);
        const { running, io, reported } = reporter;
        io.use((_socket, goOn) => {
          goOn();
          return fail() as void;
        });
        const { client, socket } = await pair(running, webSocket);
        assertOrigin(await reported(), "middleware", undefined, socket);
        await settled(client, socket);
      });

      it("a middleware of a socket, and the event is dropped", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        socket.use(([event], goOn) => (event === "ev" ? (fail() as void) : goOn()));
        let isHeard = false;
        socket.on("ev", () => (isHeard = true));
        client.emit("ev");
        assertOrigin(await reported(), "socket middleware", "ev", socket);
        await settled(client, socket);
        assert.equal(isHeard, false);
      });

      it("an acknowledgement, answered or timed out", async () => {
        await using reporter = await startReporting(host);
        const { running, reported } = reporter;
        const { client, socket } = await pair(running, webSocket);
        client.on("q", (answer: () => void) => answer());
        socket.emit("q", fail);
        assertOrigin(await reported(), "acknowledgement", "q", socket);
        socket.timeout(1).emit("unanswered", fail);
        assertOrigin(await reported(), "acknowledgement", "unanswered", socket);
        await settled(client, socket);
      });

      it("a listener of new_namespace", async () => {
        await using reporter = await startReporting(host);
        const { io, reported } = reporter;
        io.on("new_namespace", fail);
        io.of("/new");
        assertOrigin(await reported(), "listener", "new_namespace");
      });
    });
  }

  it("is called for an error of the function that decides about namespaces; the connection is closed", async () => {
    await using reporter = await startReporting(host);
    const { running, io, reported } = reporter;
    io.of(ways.throws);
    const client = running.client(webSocket, "/asked-for");
    const gone = next(client.io, "close");
    assertOrigin(await reported(), "connection", undefined);
    await gone;
  });

  it("accepts several handlers, and an error of one is an uncaught exception", async () => {
    await using reporter = await startReporting(host);
    const { running, io, reported } = reporter;
    const ofHandler = new Error("thrown by a handler");
    (io as unknown as WithOnError).onError(() => {
      throw ofHandler;
    });
    const { client, socket } = await pair(running, webSocket);
    socket.on("ev", ways.throws);
    const surfaced = uncaught(1);
    client.emit("ev");
    await reported();
    assert.deepEqual(await surfaced, [ofHandler]);
  });
});

onEveryHost("without io.onError", serverHosts, (host) => {
  it("a listener that rejects is an unhandled rejection, and the connection stays", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, webSocket);
    socket.on("ev", ways.rejects);
    const surfaced = uncaught(1);
    client.emit("ev");
    assert.deepEqual(await surfaced, [failure]);
    await settled(client, socket);
  });

  for (const [how, fail] of Object.entries(ways)) {
    it(`a middleware that ${how} is an unhandled rejection, and others may join`, async () => {
      await using running = await host.start();
      const once = [fail];
      running.io.use((_socket, goOn) => (once.pop() ?? goOn)());
      const surfaced = uncaught(1);
      running.client(webSocket);
      assert.deepEqual(await surfaced, [failure]);
      await connected(running.client(webSocket));
    });

    it(`a connection listener that ${how} surfaces, and the socket joins`, async () => {
      await using running = await host.start();
      running.io.once("connection", fail);
      const surfaced = uncaught(1);
      const client = running.client(webSocket);
      await connected(client);
      assert.deepEqual(await surfaced, [failure]);
      const [socket] = running.io.sockets.sockets.values();
      await settled(client, socket!);
    });
  }
});

onEveryHost("a listener of onAnyOutgoing that throws", serverHosts, (host) => {
  it("does not keep a broadcast from the other receivers", async () => {
    await using running = await host.start();
    const [a, b] = [await pair(running, webSocket), await pair(running, webSocket)];
    a.socket.onAnyOutgoing(ways.throws);
    const heard = [next(a.client, "ev"), next(b.client, "ev")];
    const surfaced = uncaught(1);
    running.io.emit("ev");
    await Promise.all(heard);
    assert.deepEqual(await surfaced, [failure]);
  });
});
