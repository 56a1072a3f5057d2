import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { collect, next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";

const bytes = Buffer.from([0, 1, 2, 127, 128, 254, 255]);
const megabyte = randomBytes(1_000_000);

onEveryHost("binary", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("carries a Buffer both ways as a Buffer", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const up = next(socket, "b");
      client.emit("b", bytes, "text");
      assert.deepEqual(await up, [bytes, "text"]);
      const down = next(client, "b");
      socket.emit("b", bytes, "text");
      assert.deepEqual(await down, [bytes, "text"]);
    });

    it("carries nested buffers, in their places", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const value = { a: [bytes, { b: Buffer.alloc(0), c: "x" }], d: Buffer.from("é") };
      const up = next(socket, "b");
      client.emit("b", value, 1, Buffer.from([9]));
      assert.deepEqual(await up, [value, 1, Buffer.from([9])]);
      const down = next(client, "b");
      socket.emit("b", value, 1, Buffer.from([9]));
      assert.deepEqual(await down, [value, 1, Buffer.from([9])]);
    });

    it("carries 1 MB both ways", async () => {
      await using running = await host.start({ maxHttpBufferSize: 4e6 });
      const { client, socket } = await pair(running, mode);
      const up = next(socket, "b");
      client.emit("b", megabyte);
      assert.ok(megabyte.equals((await up)[0] as Buffer));
      const down = next(client, "b");
      socket.emit("b", megabyte);
      assert.ok(megabyte.equals((await down)[0] as Buffer));
    });

    it("carries ArrayBuffers and views as their bytes", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const backing = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]).buffer;
      const values = [
        backing,
        new Uint8Array(backing, 2, 3),
        new Uint16Array(backing, 4, 1),
        new DataView(backing, 6),
      ];
      const expected = [
        Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]),
        Buffer.from([2, 3, 4]),
        Buffer.from([4, 5]),
        Buffer.from([6, 7]),
      ];
      const up = next(socket, "b");
      client.emit("b", ...values);
      assert.deepEqual(
        (await up).map((part) => Buffer.from(part as Uint8Array)),
        expected,
      );
      const down = next(client, "b");
      socket.emit("b", ...values);
      assert.deepEqual(
        (await down).map((part) => Buffer.from(part as Uint8Array)),
        expected,
      );
    });

    it("broadcasts binary", async () => {
      await using running = await host.start();
      const pairs = await Promise.all([1, 2, 3].map(() => pair(running, mode)));
      const heard = pairs.map(({ client }) => next(client, "b"));
      running.io.emit("b", { data: bytes });
      for (const args of await Promise.all(heard)) assert.deepEqual(args, [{ data: bytes }]);
    });

    it("keeps 50 binary events in order", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const heard = collect(client, "b", 50);
      for (let index = 0; index < 50; index++)
        (index % 2 ? running.io : socket).emit("b", Buffer.from([index]), index);
      const expected = Array.from({ length: 50 }, (_, index) => [Buffer.from([index]), index]);
      assert.deepEqual(await heard, expected);
    });
  });

  it("writes a placeholder per attachment, then one frame each", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    socket.emit("b", bytes, { x: Buffer.from([9]) });
    assert.deepEqual(await wire.take(3), [
      '452-["b",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]',
      bytes,
      Buffer.from([9]),
    ]);
  });

  it("writes a broadcast with an attachment the same way, in a namespace", async () => {
    await using running = await host.start();
    const { wire } = await rawPair(running, "/x");
    running.io.of("/x").emit("b", bytes);
    assert.deepEqual(await wire.take(2), ['451-/x,["b",{"_placeholder":true,"num":0}]', bytes]);
  });

  it("delivers bytes that stay unchanged after the listener has returned", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const kept = collect(socket, "b", 100);
    for (let index = 0; index < 100; index++) client.emit("b", Buffer.alloc(5_000, index));
    for (const [index, [data]] of (await kept).entries()) {
      assert.ok(Buffer.alloc(5_000, index).equals(data as Buffer), `message ${index}`);
    }
  });

  it("sends the bytes as they were when emit was called, if it has to wait", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["polling"] });
    const heard = collect(client, "b", 2);
    socket.emit("b", "takes the poll");
    socket.emit("b", Buffer.from("waits"));
    assert.deepEqual((await heard)[1], [Buffer.from("waits")]);
  });

  it("refuses more than ten attachments, and accepts ten", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const ten = next(socket, "b");
    client.emit("b", ...Array.from({ length: 10 }, (_, index) => Buffer.from([index])));
    assert.equal((await ten).length, 10);
    const closed = next(socket, "disconnect");
    client.emit("b", ...Array.from({ length: 11 }, () => Buffer.alloc(1)));
    assert.equal((await closed)[0], "forced close");
  });
});
