// What published packages do to the objects of the server: they replace methods, add properties, wrap prototypes.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { closing } from "../support/waiting/closing.ts";
import { connected, pair, settled } from "../support/server/clients.ts";
import { internals } from "../support/server/internals.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawPair } from "../support/server/wires.ts";

type Method = (...args: unknown[]) => unknown;
type Packet = { type: number; nsp: string; data: unknown; id?: number };

/** Puts a method of the object's own in front of the inherited one, which it is handed to call. */
function replace(thing: object, name: string, make: (original: Method) => Method): void {
  const original = Reflect.get(thing, name) as Method;
  Reflect.set(thing, name, make(original.bind(thing)));
}

/** Notes the arguments of each call, and calls the method. */
function watch(thing: object, name: string): unknown[][] {
  const calls: unknown[][] = [];
  replace(thing, name, (original) => (...args) => {
    calls.push(args);
    return original(...args);
  });
  return calls;
}

onEveryHost("a replaced method of a socket", serverHosts, (host) => {
  it("onevent gets the packet, and may answer with ack() and hold the event back", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running, "/chat");
    const seen: Packet[] = [];
    socket.on("ev", () => assert.fail("heard"));
    replace(socket, "onevent", () => (packet) => {
      seen.push({ ...(packet as Packet) });
      (internals(socket).ack((packet as Packet).id as number) as Method)("from onevent");
    });
    wire.sendText('42/chat,5["ev",{"a":1}]');
    assert.equal(await wire.next(), '43/chat,5["from onevent"]');
    assert.deepEqual(
      seen.map(({ type, nsp, data, id }) => [type, nsp, data, id]),
      [[2, "/chat", ["ev", { a: 1 }], 5]],
    );
  });

  it("onevent may emit each event under another name, as a wildcard does", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    replace(socket, "onevent", (original) => (packet) => {
      const { data } = packet as Packet;
      EventEmitter.prototype.emit.call(socket, "*", data);
      original(packet);
    });
    const both = Promise.all([next(socket, "*"), next(socket, "ev")]);
    client.emit("ev", 1);
    assert.deepEqual(await both, [[["ev", 1]], [1]]);
  });

  it("ack returns the function that answers", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    replace(
      socket,
      "ack",
      (original) =>
        (id) =>
        (...args: unknown[]) =>
          (original(id) as Method)(...args, "signed"),
    );
    socket.on("ev", (answer: Method) => answer(1));
    const answer = await new Promise((resolve) => client.emit("ev", (...args: unknown[]) => resolve(args)));
    assert.deepEqual(answer, [1, "signed"]);
  });

  it("packet gets everything sent to the socket, CONNECT and DISCONNECT included", async () => {
    await using running = await host.start();
    let calls: unknown[][] = [];
    running.io.use((socket, done) => {
      calls = watch(socket, "packet");
      done();
    });
    const { wire, socket } = await rawPair(running);
    socket.on("ev", (answer: Method) => answer(1));
    socket.compress(false).emit("hello", 2);
    wire.sendText('427["ev"]');
    assert.deepEqual(await wire.take(2), ['42["hello",2]', "437[1]"]);
    socket.disconnect();
    assert.deepEqual(
      calls.map(([packet]) => [(packet as Packet).type, (packet as Packet).data]),
      [
        [0, { sid: socket.id, pid: undefined }],
        [2, ["hello", 2]],
        [3, [1]],
        [1, undefined],
      ],
    );
    assert.equal((calls[1]![1] as { compress: boolean }).compress, false);
  });

  it("emit is what send() and write() call", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const calls = watch(socket, "emit");
    socket.send("a");
    socket.write("b");
    assert.deepEqual(calls, [
      ["message", "a"],
      ["message", "b"],
    ]);
  });

  it("_onclose is called with reason and description, however the socket ends", async () => {
    await using running = await host.start();
    const reasons: unknown[] = [];
    for (const end of [
      (socket: Socket) => socket.disconnect(),
      (socket: Socket) => socket.conn.close(),
      (_socket: Socket, leave: () => void) => leave(),
    ]) {
      const { client, socket } = await pair(running);
      const calls = watch(socket, "_onclose");
      const gone = next(socket, "disconnect");
      end(socket, () => client.disconnect());
      await gone;
      reasons.push(calls[0]?.[0]);
    }
    assert.deepEqual(reasons, ["server namespace disconnect", "forced close", "client namespace disconnect"]);
  });

  it("join and leave are what socketsJoin() and socketsLeave() call", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const [joins, leaves] = [watch(socket, "join"), watch(socket, "leave")];
    running.io.socketsJoin(["a", "b"]);
    running.io.in("a").socketsLeave(["b"]);
    assert.deepEqual([joins, leaves], [[[["a", "b"]]], [["b"]]]);
  });

  it("disconnect is what disconnectSockets() calls", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const calls = watch(socket, "disconnect");
    running.io.disconnectSockets();
    assert.deepEqual(calls, [[false]]);
  });

  it("notifyOutgoingListeners is called for direct emits and for broadcasts", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const calls = watch(socket, "notifyOutgoingListeners");
    socket.emit("one");
    running.io.emit("two");
    assert.deepEqual(
      calls.map(([packet]) => (packet as Packet).data),
      [["one"], ["two"]],
    );
  });
});

onEveryHost("a replaced method of a namespace", serverHosts, (host) => {
  it("_remove is called for each socket that leaves, and for a refused one", async () => {
    await using running = await host.start();
    const removed = watch(running.io.sockets, "_remove");
    const { client, socket } = await pair(running);
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    assert.deepEqual(removed, [[socket]]);
    running.io.use((_socket, done) => done(new Error("no")));
    await next(running.client(), "connect_error");
    assert.equal(removed.length, 2);
  });

  it("_onServerSideEmit is called by the adapter", async () => {
    await using running = await host.start();
    const heard = next(running.io, "hello");
    running.io.sockets._onServerSideEmit(["hello", 1, "two"] as never);
    assert.deepEqual(await heard, [1, "two"]);
  });
});

onEveryHost("packages", serverHosts, (host) => {
  it("may remove all listeners of a socket in the connection handler: it still works and disconnects", async () => {
    await using running = await host.start();
    running.io.on("connection", (socket) => socket.removeAllListeners());
    const { client, socket } = await pair(running);
    await settled(client, socket);
    const gone = next(socket, "disconnect");
    client.disconnect();
    assert.deepEqual((await gone)[0], "client namespace disconnect");
    assert.equal(running.io.sockets.sockets.size, 0);
  });

  it("may replace socket.data by a Proxy, which then sees every write", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const written: unknown[] = [];
    socket.data.before = 1;
    socket.data = new Proxy(socket.data as Record<string, unknown>, {
      set(target, key, value) {
        written.push([key, value]);
        return Reflect.set(target, key, value);
      },
    });
    socket.data.name = "ann";
    const [fetched] = await running.io.fetchSockets();
    assert.deepEqual(fetched?.data, { before: 1, name: "ann" });
    assert.deepEqual(written, [["name", "ann"]]);
  });

  it("may replace the middlewares of a socket, and the callbacks that wait for answers", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const inside = socket as unknown as { fns: unknown[]; acks: Map<number, Method> };
    const kept: Method = (_event, pass) => (pass as Method)();
    const refusing: Method = (_event, pass) => (pass as Method)(new Error("no"));
    inside.fns = [kept, refusing];
    const refused = next(socket, "error");
    client.emit("up");
    assert.equal(((await refused)[0] as Error).message, "no");
    inside.fns = inside.fns.filter((fn) => fn !== refusing);
    const arrived = next(socket, "up");
    client.emit("up");
    await arrived;

    socket.emit("question", () => assert.fail("the callback was removed"));
    inside.acks = new Map();
    const answered = next(socket, "answered");
    client.on("question", (answer: Method) => {
      answer();
      client.emit("answered");
    });
    await answered;
  });

  it("may put properties on the server, the client, the connection and the request", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    for (const thing of [
      running.io,
      running.io.sockets,
      socket,
      socket.client,
      socket.conn,
      socket.request,
    ]) {
      assert.equal(Object.isExtensible(thing), true);
      Object.assign(thing, { mine: 1 });
      assert.equal(Reflect.get(thing, "mine"), 1);
    }
  });

  it("may write each of the nine fields of the handshake", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const handshake = socket.handshake as unknown as Record<string, unknown>;
    for (const field of Object.keys(handshake)) {
      handshake[field] = `my ${field}`;
      assert.equal(handshake[field], `my ${field}`);
      assert.equal(delete handshake[field], true);
    }
    assert.deepEqual(handshake, {});
  });

  it("may delete the request of a connection, or make it null", async () => {
    await using running = await host.start();
    const take = [
      (conn: { request?: unknown }) => delete conn.request,
      (conn: { request?: unknown }) => (conn.request = null),
    ];
    for (const away of take) {
      running.io.engine.once("connection", away);
      const { client, socket } = await pair(running);
      assert.ok(socket.request === undefined || socket.request === null);
      assert.deepEqual(
        [socket.handshake.headers, socket.handshake.query, socket.handshake.url],
        [{}, {}, undefined],
      );
      assert.deepEqual([socket.handshake.secure, socket.handshake.xdomain], [true, false]);
      assert.match(socket.handshake.address, /127\.0\.0\.1$/);
      await settled(client, socket);
    }
  });

  it("may remove a namespace with io._nsps.delete(): it does not exist until it is created again", async () => {
    await using running = await host.start();
    const nsp = running.io.of("/gone");
    const { client } = await pair(running, {}, "/gone");
    nsp.disconnectSockets(true);
    nsp.removeAllListeners();
    assert.equal(running.io._nsps.delete("/gone"), true);
    assert.deepEqual([...running.io._nsps.keys()], ["/"]);
    const [error] = await next<[Error]>(running.client({}, "/gone"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
    assert.notEqual(running.io.of("/gone"), nsp);
    client.connect();
    await connected(client);
  });

  it("may wrap emit() of the prototypes, and see every direct emit and broadcast", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const Operator = Object.getPrototypeOf(running.io.to("x")) as object;
    const seen: unknown[] = [];
    const wrap = (prototype: object, kind: string): (() => void) => {
      const original = Reflect.get(prototype, "emit") as Method;
      const isOwn = Object.hasOwn(prototype, "emit");
      Reflect.set(prototype, "emit", function (this: object, ...args: unknown[]) {
        seen.push([kind, ...args]);
        return Reflect.apply(original, this, args);
      });
      return () =>
        isOwn ? Reflect.set(prototype, "emit", original) : Reflect.deleteProperty(prototype, "emit");
    };
    const unwrap = [wrap(socketio.Socket.prototype, "socket"), wrap(Operator, "operator")];
    using _unwrap = closing(() => unwrap.forEach((undo) => undo()));
    socket.emit("a");
    running.io.emit("b");
    running.io.of("/").emit("c");
    running.io.to("room").emit("d");
    socket.broadcast.emit("e");
    assert.deepEqual(seen, [
      ["socket", "a"],
      ["operator", "b"],
      ["operator", "c"],
      ["operator", "d"],
      ["operator", "e"],
    ]);
  });

  it("may subclass the server", async () => {
    class Mine extends socketio.Server {
      readonly names: string[] = [];
      override of(
        ...args: Parameters<InstanceType<typeof socketio.Server>["of"]>
      ): ReturnType<InstanceType<typeof socketio.Server>["of"]> {
        this.names?.push(String(args[0]));
        return super.of(...args);
      }
    }
    const io = new Mine();
    assert.equal(io.of("/a").server, io);
    assert.deepEqual(io.names, ["/a"]);
  });
});
