// Counts calls of the kernel, as a measure of speed without a clock.
import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { encodeFrame, OPCODE } from "../support/wire/frames.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";

import type { Socket } from "../support/server/socketio.ts";
import type { WireSocket } from "../support/wire/client.ts";
import { nodeHost, countingHosts } from "./support/counting-hosts.ts";

onEveryHost("writes", countingHosts, (host) => {
  it("one for ten emits to a socket in one tick", async () => {
    await using server = await host.start();
    const wire = await server.connect();
    const writes = await server.writesDuring(async () => {
      for (let n = 0; n < 10; n++) server.io.sockets.sockets.forEach((socket) => void socket.emit("n", n));
      await wire.take(10);
    });
    assert.equal(writes, 1);
  });

  it("five for ten broadcasts to five clients in one tick", async () => {
    await using server = await host.start();
    const wires = await server.connectAll(5);
    const writes = await server.writesDuring(async () => {
      for (let n = 0; n < 10; n++) server.io.emit("n", n);
      await Promise.all(wires.map((wire) => wire.take(10)));
    });
    assert.equal(writes, 5);
  });

  it("one per receiver for broadcasts, direct and volatile emits in one tick", async () => {
    await using server = await host.start();
    const wires = await server.connectAll(3);
    const sockets = [...server.io.sockets.sockets.values()];
    const writes = await server.writesDuring(async () => {
      server.io.emit("all");
      for (const socket of sockets) socket.emit("one");
      server.io.volatile.emit("all");
      server.io.local.compress(false).emit("all");
      await Promise.all(wires.map((wire) => wire.take(4)));
    });
    assert.equal(writes, 3);
  });

  it("one per receiver for broadcasts to all, to a room and from a socket, and an ack, in one tick", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      void socket.join("room");
      socket.on("ask", (reply: () => void) => {
        server.io.emit("all");
        socket.to("room").emit("others");
        server.io.to("room").emit("room");
        reply();
      });
    });
    const wires = await server.connectAll(8);
    const writes = await server.writesDuring(async () => {
      wires[0]!.sendText('420["ask"]');
      await Promise.all(wires.map((wire) => wire.take(3)));
    });
    assert.equal(writes, 8);
    assert.deepEqual(
      wires.map(({ pending }) => pending.length),
      wires.map(() => 0),
    );
  });

  it("one per receiver for a message to two overlapping rooms, except one member", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      const n = server.io.sockets.sockets.size;
      void socket.join(n <= 4 ? "a" : "b");
      if (n === 1) void socket.join("b");
      if (n === 4) void socket.join(["b", "out"]);
    });
    const wires: WireSocket[] = [];
    for (let n = 0; n < 6; n++) wires.push(await server.connect());
    const writes = await server.writesDuring(async () => {
      server.io.to("a").to("b").except("out").emit("n");
      await Promise.all(wires.filter((_, i) => i !== 3).map((wire) => wire.take(1)));
    });
    assert.equal(writes, 5);
    assert.equal(wires[3]!.pending.length, 0);
  });

  it("one for a handler's reply, ack and three emits", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      socket.on("ask", (reply: () => void) => {
        socket.emit("a");
        socket.emit("b");
        reply();
        socket.emit("c");
      });
    });
    const wire = await server.connect();
    const writes = await server.writesDuring(async () => {
      wire.sendText('420["ask"]');
      await wire.take(4);
    });
    assert.equal(writes, 1);
  });

  it("one per receiver for a handler that replies and broadcasts", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      socket.on("say", () => {
        socket.emit("said");
        socket.broadcast.emit("news", 1);
        socket.broadcast.emit("news", 2);
      });
    });
    const [wire, ...others] = await server.connectAll(4);
    const writes = await server.writesDuring(async () => {
      wire!.sendText('42["say"]');
      await Promise.all([wire!.take(1), ...others.map((other) => other.take(2))]);
    });
    assert.equal(writes, 4);
  });

  it("one for an event with two attachments", async () => {
    await using server = await host.start();
    const wire = await server.connect();
    const writes = await server.writesDuring(async () => {
      server.io.emit("bytes", Buffer.alloc(100), Buffer.alloc(200));
      await wire.take(3);
    });
    assert.equal(writes, 1);
  });

  it("one for a ping", async () => {
    await using server = await host.start();
    const wire = await server.connect();
    server.io.engine.opts.pingInterval = 10;
    const writes = await server.writesDuring(async () => {
      // The interval begins with a pong: on a slow machine the ping would come before the count does.
      wire.sendText("3");
      assert.equal(await wire.next(), "2");
    });
    assert.equal(writes, 1);
  });

  it("one frame per receiver for a broadcast, and none for others", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      if (server.io.sockets.sockets.size <= 3) void socket.join("room");
    });
    const wires: WireSocket[] = [];
    for (let n = 0; n < 6; n++) wires.push(await server.connect());
    server.io.to("room").emit("n", 1);
    server.io.emit("end");
    for (const [n, wire] of wires.entries()) {
      assert.deepEqual(await wire.take(n < 3 ? 2 : 1), n < 3 ? ['42["n",1]', '42["end"]'] : ['42["end"]']);
      assert.equal(wire.pending.length, 0);
    }
  });

  it("none for an idle tick", async () => {
    await using server = await host.start();
    await server.connectAll(3);
    const writes = await server.writesDuring(() => new Promise(setImmediate));
    assert.equal(writes, 0);
  });

  it("one for ten emits to a pending poll, and one for the POST that caused them", async () => {
    await using server = await host.start();
    server.io.on("connection", (socket: Socket) => {
      socket.on("say", () => {
        for (let n = 0; n < 10; n++) socket.emit("n", n);
      });
    });
    const path = await server.openPolling();
    const writes = await server.writesDuring(async () => {
      const poll = server.client.get(path);
      await server.client.post(path, '42["say"]');
      assert.equal((await poll).body.split("\x1e").length, 10);
    });
    assert.equal(writes, 2);
  });
});

describe("writes", () => {
  it("two for a WebSocket that joins a namespace on node:http: the 101 with the handshake, and the CONNECT response", async () => {
    await using server = await nodeHost.start();
    assert.equal(await server.writesDuring(() => server.connect()), 2);
  });

  it("one for the replies to sixteen messages of one TCP chunk on node:http", async () => {
    await using server = await nodeHost.start();
    server.io.on("connection", (socket: Socket) => {
      socket.on("echo", (n: number) => socket.emit("echo", n));
    });
    const wire = (await server.connect()) as RawWebSocket;
    const numbers = Array.from({ length: 16 }, (_, n) => n);
    const chunk = numbers.map((n) => encodeFrame(OPCODE.text, Buffer.from(`42["echo",${n}]`)));
    const writes = await server.writesDuring(async () => {
      wire.socket.write(Buffer.concat(chunk));
      const texts = await wire.take(16);
      assert.deepEqual(
        texts,
        numbers.map((n) => `42["echo",${n}]`),
      );
    });
    assert.equal(writes, 1);
  });
});
