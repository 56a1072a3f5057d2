import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";

onEveryHost("catch-all listeners", serverHosts, (host) => {
  it("onAny listeners get every event before its own listeners, with the ack", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const seen: unknown[] = [];
    socket.on("ev", () => seen.push("own"));
    socket.onAny((name, ...args) =>
      seen.push([name, ...args.map((arg) => (typeof arg === "function" ? "ack" : arg))]),
    );
    socket.prependAny(() => seen.push("first"));
    for (const args of [
      ["ev", 1, { a: 2 }],
      ["other", () => {}],
    ] as const) {
      const heard = next(socket, args[0]);
      client.emit(args[0], ...args.slice(1));
      await heard;
    }
    assert.deepEqual(seen, ["first", ["ev", 1, { a: 2 }], "own", "first", ["other", "ack"]]);
  });

  it("offAny removes one listener or all, and listenersAny lists them", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const seen: string[] = [];
    const one = (): void => void seen.push("one");
    const two = (): void => void seen.push("two");
    socket.onAny(one).onAny(two);
    assert.deepEqual(socket.listenersAny(), [one, two]);
    socket.offAny(one);
    client.emit("ev");
    await settled(client, socket);
    socket.offAny();
    assert.deepEqual(socket.listenersAny(), []);
    client.emit("ev");
    await settled(client, socket);
    assert.deepEqual([...new Set(seen)], ["two"]);
  });

  it("onAnyOutgoing is called for emit, with the arguments and without the ack", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const seen: unknown[][] = [];
    socket.onAnyOutgoing((...args) => seen.push(args));
    socket.emit("ev", 1, { a: Buffer.from("b") });
    socket.emit("asked", 2, () => {});
    assert.deepEqual(seen, [
      ["ev", 1, { a: Buffer.from("b") }],
      ["asked", 2],
    ]);
  });

  it("onAnyOutgoing is called for broadcasts", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    await socket.join("room");
    const seen: unknown[][] = [];
    socket.onAnyOutgoing((...args) => seen.push(args));
    running.io.emit("all", 1);
    running.io.to("room").emit("room", 2);
    running.io.to("elsewhere").emit("not for it");
    running.io
      .to("room")
      .timeout(1_000)
      .emit("asked", 3, () => {});
    running.io.volatile.emit("volatile", Buffer.from("b"));
    assert.deepEqual(seen, [
      ["all", 1],
      ["room", 2],
      ["asked", 3],
      ["volatile", Buffer.from("b")],
    ]);
  });

  it("prependAnyOutgoing, offAnyOutgoing and listenersAnyOutgoing work as named", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const seen: string[] = [];
    const one = (): void => void seen.push("one");
    const two = (): void => void seen.push("two");
    socket.onAnyOutgoing(one).prependAnyOutgoing(two);
    assert.deepEqual(socket.listenersAnyOutgoing(), [two, one]);
    socket.emit("ev");
    socket.offAnyOutgoing(two);
    socket.emit("ev");
    socket.offAnyOutgoing();
    socket.emit("ev");
    assert.deepEqual(seen, ["two", "one", "one"]);
  });
});

onEveryHost("socket middleware", serverHosts, (host) => {
  it("sees every event, may change it, and runs in order", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const order: unknown[] = [];
    socket.use((event, done) => {
      order.push(event.slice(0, 2));
      event[1] = "changed";
      setImmediate(done);
    });
    socket.use((event, done) => {
      order.push(event.slice(0, 2));
      done();
    });
    const heard = next(socket, "ev");
    client.emit("ev", "sent");
    assert.deepEqual(await heard, ["changed"]);
    assert.deepEqual(order, [
      ["ev", "sent"],
      ["ev", "changed"],
    ]);
  });

  it("stops an event with an error, which is emitted as error on the socket", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    socket.use((event, done) => done(event[0] === "bad" ? new Error("refused") : undefined));
    socket.on("bad", () => assert.fail("heard"));
    const error = next(socket, "error");
    client.emit("bad");
    assert.equal(((await error)[0] as Error).message, "refused");
    await settled(client, socket);
  });

  it("drops the event silently if no listener handles the error", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    socket.use((event, done) => done(event[0] === "bad" ? new Error("refused") : undefined));
    client.emit("bad");
    await settled(client, socket);
    assert.equal(client.connected, true);
  });

  it("drops an event whose middleware ends after the disconnection", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    let proceed: () => void = () => {};
    const entered = new Promise<void>((resolve) => {
      socket.use((_event, done) => {
        proceed = done;
        resolve();
      });
    });
    socket.on("ev", () => assert.fail("heard after the disconnection"));
    client.emit("ev");
    await entered;
    socket.disconnect();
    proceed();
    await new Promise(setImmediate);
  });
});
