import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";

const count = 300;
const body = "x".repeat(100_000);

onEveryHost("a client that does not read", serverHosts, (host) => {
  it("gets all of 300 broadcasts of 100 KB later, or is closed with a reason, but misses none", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire, socket } = await rawPair(running);
    let reason: string | undefined;
    socket.on("disconnect", (name) => (reason = name));
    wire.pause();
    for (let index = 0; index < count; index++) {
      running.io.emit("n", index, body);
      await new Promise(setImmediate);
    }
    wire.resume();
    const seen: unknown[] = [];
    while (seen.length < count) {
      const frame = await wire.next().catch((error: unknown) => {
        if (reason === undefined) throw error;
      });
      if (frame === undefined) break;
      const [, index, text] = JSON.parse(String(frame).slice(2)) as [string, number, string];
      assert.equal(text.length, body.length);
      seen.push(index);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: seen.length }, (_, index) => index),
    );
    if (seen.length < count) assert.match(String(reason), /^(transport error|transport close|ping timeout)$/);
  });

  it("keeps the order of direct emits, broadcasts and binary that piled up", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire, socket } = await rawPair(running);
    wire.pause();
    for (let index = 0; index < 90; index++) {
      if (index % 3 === 0) running.io.emit("n", index, body);
      else if (index % 3 === 1) socket.emit("n", index, body);
      else running.io.to(socket.id).emit("n", index, Buffer.alloc(100_000));
      if (index % 10 === 0) await new Promise(setImmediate);
    }
    wire.resume();
    const seen: number[] = [];
    while (seen.length < 90) {
      const frame = await wire.next();
      if (typeof frame === "string") seen.push(Number(/"n",(\d+)/.exec(frame.slice(0, 60))?.[1]));
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 90 }, (_, index) => index),
    );
  });

  it("stays connected and gets 200 broadcasts of 100 KB in one tick if it does read", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    let heard = 0;
    client.on("n", () => heard++);
    for (let index = 0; index < 200; index++) running.io.emit("n", index, body);
    await settled(client, socket);
    assert.equal(heard, 200);
    assert.equal(socket.connected, true);
  });

  it("does not hold up the others", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire } = await rawPair(running);
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    wire.pause();
    let heard = 0;
    client.on("n", () => heard++);
    for (let index = 0; index < 100; index++) running.io.emit("n", index, body);
    await settled(client, socket);
    assert.equal(heard, 100);
  });

  it("is cleaned up when it disappears with data waiting for it", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire, socket } = await rawPair(running);
    wire.pause();
    for (let index = 0; index < 100; index++) socket.emit("n", index, body);
    await new Promise(setImmediate);
    const gone = next(socket, "disconnect");
    wire.reset();
    assert.match(String((await gone)[0]), /^transport (close|error)$/);
    running.io.emit("n", 0, body);
    assert.equal(running.io.engine.clientsCount, 0);
  });
});
