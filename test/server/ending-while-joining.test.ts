// Sockets whose connection ends, or that are disconnected, in the middle of joining or leaving.
import assert from "node:assert/strict";
import { internals } from "../support/server/internals.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { uncaught } from "../support/process/uncaught.ts";

type Adapter = StartedServer["io"]["sockets"]["adapter"];

/** Calls the listener for the events of the socket that is being let in, or leaves: not those of other rooms. */
function onRoomEvent(adapter: Adapter, event: string, listener: (room: string) => void): void {
  adapter.on(event, listener);
}

/** What is left of sockets in a namespace. */
function remains(nsp: StartedServer["io"]["sockets"]): object {
  const { rooms, sids } = nsp.adapter;
  return {
    sockets: nsp.sockets.size,
    waiting: internals(nsp)._preConnectSockets.size,
    rooms: [...rooms.keys()],
    sids: [...sids.keys()],
  };
}

const nothing = { sockets: 0, waiting: 0, rooms: [], sids: [] };

onEveryHost("a connection that ends with the CONNECT of a second namespace", serverHosts, (host) => {
  it("leaves no socket in it", async () => {
    await using running = await host.start();
    const second = running.io.of("/second");
    const heard: string[] = [];
    second.on("connection", () => heard.push("connection"));
    const { wire, socket } = await rawPair(running);
    socket.conn.on("packetCreate", ({ data }: { data?: unknown }) => {
      if (String(data).startsWith("0/second,")) socket.conn.close(true);
    });
    const gone = next(socket, "disconnect");
    wire.sendText("40/second,");
    await gone;
    await new Promise(setImmediate);
    assert.deepEqual(remains(second), nothing);
    assert.deepEqual(heard, []);
  });
});

onEveryHost("a listener of the adapter that disconnects a socket which joins", serverHosts, (host) => {
  for (const event of ["create-room", "join-room"]) {
    it(`at ${event}: CONNECT, then DISCONNECT`, async () => {
      await using running = await host.start();
      const { io } = running;
      io.on("connection", () => assert.fail("connected"));
      onRoomEvent(io.sockets.adapter, event, (id) => io.sockets.sockets.get(id)?.disconnect());
      const wire = await rawSession(running);
      wire.sendText("40");
      assert.match(String(await wire.next()), /^40\{"sid":/);
      assert.equal(await wire.next(), "41");
      assert.deepEqual(remains(io.sockets), nothing);
    });

    it(`at ${event}, with its connection`, async () => {
      await using running = await host.start();
      const { io } = running;
      io.on("connection", () => assert.fail("connected"));
      onRoomEvent(io.sockets.adapter, event, (id) => io.sockets.sockets.get(id)?.disconnect(true));
      const wire = await rawSession(running);
      wire.sendText("40");
      await wire.closed;
      while (io.engine.clientsCount > 0) await new Promise(setImmediate);
      assert.deepEqual(remains(io.sockets), nothing);
    });

    it(`at ${event} of one of several rooms`, async () => {
      await using running = await host.start();
      const { socket } = await rawPair(running);
      onRoomEvent(running.io.sockets.adapter, event, (room) => {
        if (room === "two") socket.disconnect();
      });
      const gone = next(socket, "disconnect");
      void socket.join(["one", "two", "three"]);
      await gone;
      assert.deepEqual(remains(running.io.sockets), nothing);
    });
  }
});

onEveryHost("a listener of leave-room", serverHosts, (host) => {
  /** The events of the socket from now on. */
  const told = (socket: Socket): string[] => {
    const events: string[] = [];
    socket.on("disconnecting", (reason) => events.push(`disconnecting: ${reason}`));
    socket.on("disconnect", (reason) => events.push(`disconnect: ${reason}`));
    return events;
  };

  for (const close of [false, true]) {
    it(`that calls disconnect(${close}): disconnect is emitted once`, async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      const events = told(socket);
      running.io.sockets.adapter.on("leave-room", () => socket.disconnect(close));
      const gone = next(socket, "disconnect");
      wire.sendText("41");
      await gone;
      assert.deepEqual(events, [
        "disconnecting: client namespace disconnect",
        "disconnect: client namespace disconnect",
      ]);
      assert.deepEqual(remains(running.io.sockets), nothing);
    });
  }

  it("that throws: the socket still leaves", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    void socket.join(["one", "two"]);
    running.io.sockets.adapter.once("leave-room", () => {
      throw new Error("of the application");
    });
    const thrown = uncaught(1);
    const gone = next(socket, "disconnect");
    wire.sendText("41");
    assert.equal((await gone)[0], "client namespace disconnect");
    assert.equal(String((await thrown)[0]), "Error: of the application");
    assert.deepEqual(remains(running.io.sockets), nothing);
  });

  it("that makes the socket join again: it does not", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    void socket.join("one");
    running.io.sockets.adapter.on("leave-room", (room: string) => void socket.join(room));
    const gone = next(socket, "disconnect");
    wire.sendText("41");
    await gone;
    assert.deepEqual(remains(running.io.sockets), nothing);
  });
});
