import assert from "node:assert/strict";
import { collect, next } from "../../test/support/waiting/events.ts";
import { onEveryClient } from "./setting.ts";

const count = 300;
const numbers = Array.from({ length: count }, (_, index) => [index]);

/** All kinds of JSON values, and text that is easily split in the wrong place. */
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1.5,
  Number.MAX_SAFE_INTEGER,
  "",
  "plain",
  "é€ 😀 👩‍👩‍👧 \u2028 \u0000 \x1e",
  'line\n"quoted"\\n',
  [],
  {},
  { a: [{ b: { c: [null, "d"] } }], "with space": "", 1: "one" },
  "x".repeat(30_000),
];

onEveryClient("events", { plain: true }, (setting) => {
  it("arrive at the server in order, across an upgrade", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const seen = collect(socket, "number", count);
    for (const [number] of numbers) {
      client.emit("number", number);
      if (number === count / 2) await setting.onLastTransport(socket);
    }
    assert.deepEqual(await seen, numbers);
  });

  it("arrive at the client in order, across an upgrade", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const seen = collect(client, "number", count);
    for (const [number] of numbers) {
      socket.emit("number", number);
      if (number === count / 2) await setting.onLastTransport(socket);
    }
    assert.deepEqual(await seen, numbers);
  });

  it("arrive when the connection listener emits them", async () => {
    const server = await setting.start();
    server.io.on("connection", (socket) => {
      socket.emit("welcome", 1);
      socket.emit("welcome", 2);
    });
    const client = setting.open(server.url, { autoConnect: false });
    const welcome = collect(client, "welcome", 2);
    client.open();
    assert.deepEqual(await welcome, [[1], [2]]);
  });

  it("that the client emits before it connects arrive first", async () => {
    const server = await setting.start();
    const connection = next(server.io, "connection").then(([socket]) => collect(socket, "early", 3));
    const client = setting.open(server.url, { autoConnect: false });
    client.emit("early", 1);
    client.emit("early", 2);
    client.open();
    await setting.connected(client);
    client.emit("early", 3);
    assert.deepEqual(await connection, [[1], [2], [3]]);
  });

  it("carry any JSON value, both ways", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    socket.on("value", (value: unknown) => socket.emit("value", value));
    const seen = collect(client, "value", values.length);
    for (const value of values) client.emit("value", value);
    assert.deepEqual(
      await seen,
      values.map((value) => [value]),
    );
  });

  it("carry any number of arguments", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const none = next(socket, "none");
    const many = next(client, "many");
    client.emit("none");
    socket.emit("many", ...values);
    assert.deepEqual(await none, []);
    assert.deepEqual(await many, values);
  });

  it("can have any name that is not reserved", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    for (const name of ["", "with space", "😀", "toString", "__proto__", "42[]"]) {
      const heard = next(socket, name);
      client.emit(name, name);
      assert.deepEqual(await heard, [name]);
    }
  });

  it("of send() are named message", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const atServer = next(socket, "message");
    const atClient = next(client, "message");
    client.send("up", 1);
    socket.send("down", 2);
    assert.deepEqual(await atServer, ["up", 1]);
    assert.deepEqual(await atClient, ["down", 2]);
  });

  it("all arrive when both sides send at once", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const atServer = collect(socket, "number", count);
    const atClient = collect(client, "number", count);
    for (const [number] of numbers) {
      client.emit("number", number);
      socket.emit("number", number);
      if (Number(number) % 50 === 0) await new Promise(setImmediate);
    }
    assert.deepEqual(await atServer, numbers);
    assert.deepEqual(await atClient, numbers);
  });

  setting.itWith("catch-all", "reach catch-all listeners", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const atServer: unknown[][] = [];
    const atClient: unknown[][] = [];
    socket.onAny((...args: unknown[]) => void atServer.push(args));
    client.onAny((...args) => void atClient.push(args));
    const ends = [next(socket, "last"), next(client, "last")];
    for (const side of [client, socket]) {
      side.emit("first", 1, { two: 2 });
      side.emit("last");
    }
    await Promise.all(ends);
    assert.deepEqual(atServer, [["first", 1, { two: 2 }], ["last"]]);
    assert.deepEqual(atClient, atServer);
  });
});
