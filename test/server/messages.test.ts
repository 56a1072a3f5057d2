import assert from "node:assert/strict";
import { collect, next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";

/** Arguments as they are sent, and as they arrive through JSON. */
const kinds: readonly [what: string, sent: unknown[], received: unknown[]][] = [
  ["no argument", [], []],
  ["a string", ["text"], ["text"]],
  ["an empty string", [""], [""]],
  ["text beyond ASCII", ["é € 𝒳 👩‍👩‍👧 \u2028\u0000\ufeff"], ["é € 𝒳 👩‍👩‍👧 \u2028\u0000\ufeff"]],
  ["the separator of payloads", ["a\x1eb"], ["a\x1eb"]],
  ["quotes and backslashes", ['"\\"\n\\n'], ['"\\"\n\\n']],
  ["numbers", [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER], [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER]],
  ["what is no JSON number", [Number.NaN, Infinity], [null, null]],
  ["booleans and null", [true, false, null], [true, false, null]],
  ["undefined", [undefined, 1], [null, 1]],
  ["arrays", [[], [1, ["2", [null]]]], [[], [1, ["2", [null]]]]],
  ["objects", [{}, { a: { b: [{ c: 1 }] }, d: undefined }], [{}, { a: { b: [{ c: 1 }] } }]],
  ["a date", [new Date(0)], ["1970-01-01T00:00:00.000Z"]],
  ["an object with toJSON", [{ toJSON: () => ({ seen: true }) }], [{ seen: true }]],
  ["a look-alike of a placeholder", [{ _placeholder: 1, num: 0 }], [{ _placeholder: 1, num: 0 }]],
  ["ten arguments", "0123456789".split(""), "0123456789".split("")],
  ["a long string", ["x".repeat(100_000)], ["x".repeat(100_000)]],
];

onEveryHost("messages", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("carries every kind of argument from client to server", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const seen = collect(socket, "kinds", kinds.length);
      for (const [, sent] of kinds) client.emit("kinds", ...sent);
      for (const [index, args] of (await seen).entries())
        assert.deepEqual(args, kinds[index]?.[2], kinds[index]?.[0]);
    });

    it("carries every kind of argument from server to client", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const seen = collect(client, "kinds", kinds.length);
      for (const [, sent] of kinds) socket.emit("kinds", ...sent);
      for (const [index, args] of (await seen).entries())
        assert.deepEqual(args, kinds[index]?.[2], kinds[index]?.[0]);
    });

    it("keeps the order of 1,000 messages of the client", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const seen = collect(socket, "n", 1_000);
      for (let index = 0; index < 1_000; index++) client.emit("n", index);
      assert.deepEqual(
        (await seen).flat(),
        Array.from({ length: 1_000 }, (_, index) => index),
      );
    });

    it("keeps the order of 1,000 messages of the server, spread over ticks", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const seen = collect(client, "n", 1_000);
      for (let index = 0; index < 1_000; index++) {
        socket.emit("n", index);
        if (index % 50 === 0) await new Promise(setImmediate);
      }
      assert.deepEqual(
        (await seen).flat(),
        Array.from({ length: 1_000 }, (_, index) => index),
      );
    });

    it("echoes while both sides write", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      socket.on("ping?", (index: number) => socket.emit("pong!", index));
      const seen = collect(client, "pong!", 200);
      for (let index = 0; index < 200; index++) {
        client.emit("ping?", index);
        if (index % 20 === 0) await new Promise(setImmediate);
      }
      assert.deepEqual(
        (await seen).flat(),
        Array.from({ length: 200 }, (_, index) => index),
      );
    });

    it("keeps the order of text, binary, acks and broadcasts", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const seen = collect(client, "n", 100);
      for (let index = 0; index < 100; index++) {
        if (index % 4 === 0) socket.emit("n", index);
        else if (index % 4 === 1) running.io.emit("n", index);
        else if (index % 4 === 2) socket.emit("n", index, Buffer.from([index]));
        else running.io.to(socket.id).emit("n", index, { body: Buffer.alloc(300, index) });
      }
      const numbers = (await seen).map(([index]) => index);
      assert.deepEqual(
        numbers,
        Array.from({ length: 100 }, (_, index) => index),
      );
    });
  });

  for (const transport of ["polling", "websocket"] as const) {
    it(`sends one message of 17 MB to a client that reads, which stays connected, over ${transport}`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, { transports: [transport] });
      const heard = next(client, "big");
      socket.emit("big", "x".repeat(17_000_000));
      assert.equal(((await heard)[0] as string).length, 17_000_000);
      await settled(client, socket);
    });
  }

  it("delivers what the connection listener emits at once, after the client is connected", async () => {
    await using running = await host.start();
    running.io.on("connection", (socket) => socket.emit("welcome", socket.id));
    const client = running.client();
    const order: string[] = [];
    client.on("connect", () => order.push("connect"));
    const [id] = await next(client, "welcome");
    assert.equal(id, client.id);
    assert.deepEqual(order, ["connect"]);
  });

  it("delivers what the client emitted before it was connected", async () => {
    await using running = await host.start();
    const heard = new Promise<unknown>((resolve) => {
      running.io.on("connection", (socket) => socket.on("early", resolve));
    });
    running.client().emit("early", 1);
    assert.equal(await heard, 1);
  });

  it("sends and receives message with send() and write()", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const toServer = next(socket, "message");
    client.send("a", 1);
    assert.deepEqual(await toServer, ["a", 1]);
    const toClient = collect(client, "message", 2);
    socket.send("b", 2).write("c", 3);
    assert.deepEqual(await toClient, [
      ["b", 2],
      ["c", 3],
    ]);
  });

  it("returns true from emit, and the socket from send", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    assert.equal(socket.emit("any"), true);
    assert.equal(socket.send("any"), socket);
  });

  for (const name of [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
  ]) {
    it(`refuses to emit the reserved event ${name}`, async () => {
      await using running = await host.start();
      const { socket } = await pair(running);
      const expected = { message: `"${name}" is a reserved event name` };
      assert.throws(() => socket.emit(name), expected);
      assert.throws(() => running.io.emit(name), expected);
      assert.throws(() => running.io.to("room").emit(name), expected);
    });
  }

  it("accepts an event with a number as its name", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const heard = next(socket, "5");
    wire.sendText('42[5,"five"]');
    assert.deepEqual(await heard, ["five"]);
  });

  it("handles several packets of one read", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const heard = collect(socket, "n", 3);
    wire.sendTogether('42["n",1]', '42["n",2]', '42["n",3]');
    assert.deepEqual(await heard, [[1], [2], [3]]);
  });

  it("does not run listeners of a socket that a listener of the same read has disconnected", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const seen: unknown[] = [];
    socket.on("n", (index) => {
      seen.push(index);
      socket.disconnect();
    });
    const closed = next(socket, "disconnect");
    wire.sendTogether('42["n",1]', '42["n",2]');
    await closed;
    assert.equal(await wire.next(), "41");
    await new Promise(setImmediate);
    assert.deepEqual(seen, [1]);
  });

  it("lets a listener add and remove listeners, once and off included", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const seen: string[] = [];
    const gone = (): void => void seen.push("gone");
    socket.on("ev", gone);
    socket.once("ev", () => seen.push("once"));
    socket.on("ev", () => seen.push("stays"));
    socket.off("ev", gone);
    client.emit("ev");
    client.emit("ev");
    await settled(client, socket);
    assert.deepEqual(seen, ["once", "stays", "stays"]);
  });

  it("ignores what is emitted after the disconnection", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const seen: unknown[] = [];
    client.on("late", () => seen.push("late"));
    const gone = next(client, "disconnect");
    socket.disconnect();
    assert.equal(socket.emit("late"), true);
    await gone;
    assert.deepEqual(seen, []);
  });

  it("has no numeric readyState and accepts new properties", async () => {
    await using running = await host.start();
    const { socket } = (await pair(running)) as {
      socket: Socket & { mine?: number; readyState?: unknown };
    };
    socket.mine = 1;
    assert.equal(socket.mine, 1);
    assert.equal(typeof socket.readyState, "undefined");
  });
});
