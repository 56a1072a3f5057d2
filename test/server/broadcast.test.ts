import assert from "node:assert/strict";
import { collect, next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { onEveryTransport, pair, settled, upgraded, writable } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";
import { internals } from "../support/server/internals.ts";

onEveryHost("broadcast", serverHosts, (host) => {
  onEveryTransport((name, mode) => {
    it("reaches every client with io.emit()", async () => {
      await using running = await host.start();
      const pairs = await Promise.all([1, 2, 3].map(() => pair(running, mode)));
      const heard = pairs.map(({ client }) => next(client, "all"));
      running.io.emit("all", { to: "all" }, 2);
      for (const args of await Promise.all(heard)) assert.deepEqual(args, [{ to: "all" }, 2]);
    });

    it("reaches all except the sender with socket.broadcast", async () => {
      await using running = await host.start();
      const sender = await pair(running, mode);
      const others = await Promise.all([1, 2].map(() => pair(running, mode)));
      sender.client.on("hey", () => assert.fail("the sender heard itself"));
      const heard = others.map(({ client }) => next(client, "hey"));
      sender.socket.broadcast.emit("hey", "you");
      for (const args of await Promise.all(heard)) assert.deepEqual(args, ["you"]);
      await settled(sender.client, sender.socket);
    });

    it("delivers 500 broadcasts in order to each", async () => {
      await using running = await host.start();
      const pairs = await Promise.all([1, 2, 3].map(() => pair(running, mode)));
      const heard = pairs.map(({ client }) => collect(client, "n", 500));
      for (let index = 0; index < 500; index++) {
        running.io.emit("n", index);
        if (index % 100 === 0) await new Promise(setImmediate);
      }
      const expected = Array.from({ length: 500 }, (_, index) => index);
      for (const seen of await Promise.all(heard)) assert.deepEqual(seen.flat(), expected);
    });

    it("delivers a volatile event to a connected client", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      if (name === "upgrade") await upgraded(client);
      await settled(client, socket);
      await writable(socket);
      const heard = next(client, "maybe");
      socket.volatile.emit("maybe", 1);
      assert.deepEqual(await heard, [1]);
    });
  });

  it("writes a broadcast as one text frame, with the namespace in front", async () => {
    await using running = await host.start();
    const { wire } = await rawPair(running);
    const other = await rawPair(running, "/x");
    running.io.emit("ev", 1, "é");
    running.io.of("/x").emit("ev", 2);
    assert.equal(await wire.next(), '42["ev",1,"é"]');
    assert.equal(await other.wire.next(), '42/x,["ev",2]');
  });

  it("offers send() and write() on the server and on namespaces", async () => {
    await using running = await host.start();
    const { client } = await pair(running);
    const heard = collect(client, "message", 4);
    running.io.send("a").write("b");
    running.io.sockets.send("c").write("d", 1);
    assert.deepEqual(await heard, [["a"], ["b"], ["c"], ["d", 1]]);
  });

  it("sends nothing to a client of another namespace", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, {}, "/one");
    client.on("ev", () => assert.fail("heard another namespace"));
    running.io.emit("ev");
    running.io.of("/two").emit("ev");
    await settled(client, socket);
  });

  it("drops volatile events for a long-polling client that has no poll parked", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["polling"] });
    const heard: unknown[] = [];
    client.on("n", (index) => heard.push(index));
    await settled(client, socket);
    // the first takes the parked poll, the second finds none
    await writable(socket);
    socket.emit("n", "first");
    await new Promise(setImmediate);
    assert.equal(socket.conn.transport.writable, false);
    socket.volatile.emit("n", "dropped");
    running.io.volatile.emit("n", "dropped too");
    socket.emit("n", "last");
    await settled(client, socket);
    assert.deepEqual(heard, ["first", "last"]);
  });

  it("drops volatile events, and only those, while a WebSocket client does not read", async () => {
    await using running = await host.start({ pingInterval: 60_000 });
    const { wire, socket } = await rawPair(running);
    wire.pause();
    const filler = "x".repeat(1_000_000);
    for (let index = 0; index < 12; index++) socket.emit("f", filler);
    await new Promise(setImmediate);
    for (let index = 0; index < 3; index++) {
      socket.volatile.emit("v");
      running.io.volatile.emit("v");
    }
    socket.emit("end");
    wire.resume();
    const names: string[] = [];
    while (names.at(-1) !== "end")
      names.push((JSON.parse(String(await wire.next()).slice(2)) as [string])[0]);
    assert.deepEqual(names, [...Array.from({ length: 12 }, () => "f"), "end"]);
  });

  it("applies volatile to one emit only", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    socket.volatile.emit("a");
    assert.deepEqual(internals(socket).flags, {});
  });

  it("accepts the flags compress and local", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const heard = collect(client, "ev", 4);
    socket.compress(false).emit("ev", 1);
    running.io.compress(false).emit("ev", 2);
    running.io.local.emit("ev", 3);
    running.io.to(socket.id).local.compress(true).emit("ev", 4);
    assert.deepEqual(await heard, [[1], [2], [3], [4]]);
  });

  it("reaches clients that joined before the broadcast, and none that left or disconnected before it", async () => {
    await using running = await host.start();
    const stays = await pair(running);
    const goes = await pair(running);
    const heard: string[] = [];
    stays.client.on("ev", () => heard.push("stays"));
    goes.client.on("ev", () => heard.push("goes"));
    const gone = next(goes.client, "disconnect");
    goes.socket.disconnect();
    running.io.emit("ev");
    await gone;
    await settled(stays.client, stays.socket);
    assert.deepEqual(heard, ["stays"]);
  });
});
