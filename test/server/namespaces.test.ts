import assert from "node:assert/strict";
import { connected, onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import type { ClientSocket, Socket } from "../support/server/socketio.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";
import type { StartedServer } from "../support/server/started-server.ts";

/** A second namespace on the connection of `client`. */
async function join(
  running: StartedServer,
  client: ClientSocket,
  namespace: string,
): Promise<{ client: ClientSocket; socket: Socket }> {
  const connection = next(running.io.of(namespace), "connection");
  const other = client.io.socket(namespace, {});
  await connected(other);
  return { client: other, socket: (await connection)[0] as Socket };
}

onEveryHost("namespaces", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("carries several namespaces over one connection, with a socket each", async () => {
      await using running = await host.start();
      const main = await pair(running, mode);
      const chat = await join(running, main.client, "/chat");
      assert.equal(running.io.engine.clientsCount, 1);
      assert.notEqual(main.socket.id, chat.socket.id);
      assert.equal(main.socket.client, chat.socket.client);
      const heard = [next(main.client, "ev"), next(chat.client, "ev")];
      chat.socket.emit("ev", "chat");
      main.socket.emit("ev", "main");
      assert.deepEqual(await Promise.all(heard), [["main"], ["chat"]]);
    });

    it("stops the broadcasts of a namespace that was left, and keeps the other's", async () => {
      await using running = await host.start();
      const main = await pair(running, mode);
      const chat = await join(running, main.client, "/chat");
      await chat.socket.join("room");
      const heard: unknown[] = [];
      chat.client.onAny((...args: unknown[]) => heard.push(args));
      main.client.on("ev", (value) => heard.push(value));
      const left = next(chat.socket, "disconnect");
      chat.client.disconnect();
      assert.deepEqual((await left)[0], "client namespace disconnect");
      running.io.of("/chat").emit("ev", "gone");
      running.io.of("/chat").to("room").emit("ev", "gone");
      running.io.emit("ev", "still here");
      await settled(main.client, main.socket);
      assert.deepEqual(heard, ["still here"]);
    });
  });

  it("writes nothing of a namespace that was left", async () => {
    await using running = await host.start();
    const { wire } = await rawPair(running);
    const chat = next<[Socket]>(running.io.of("/chat"), "connection");
    wire.sendText("40/chat,");
    assert.match(String(await wire.next()), /^40\/chat,\{"sid":"/);
    const [socket] = await chat;
    const left = next(socket, "disconnect");
    wire.sendText("41/chat,");
    await left;
    running.io.of("/chat").emit("ev", 1);
    running.io.emit("ev", 2);
    assert.equal(await wire.next(), '42["ev",2]');
  });

  it("can be joined again after it was left, with a new socket", async () => {
    await using running = await host.start();
    const main = await pair(running);
    const first = await join(running, main.client, "/chat");
    const left = next(first.socket, "disconnect");
    first.client.disconnect();
    await left;
    const again = next<[Socket]>(running.io.of("/chat"), "connection");
    first.client.connect();
    const [second] = await again;
    assert.notEqual(second.id, first.socket.id);
    const heard = next(first.client, "ev");
    running.io.of("/chat").emit("ev", 1);
    assert.deepEqual(await heard, [1]);
  });

  it("disconnects one namespace from the server, and keeps the other", async () => {
    await using running = await host.start();
    const main = await pair(running);
    const chat = await join(running, main.client, "/chat");
    const gone = next(chat.client, "disconnect");
    chat.socket.disconnect();
    assert.equal((await gone)[0], "io server disconnect");
    await settled(main.client, main.socket);
    assert.equal(main.socket.connected, true);
  });

  it("accepts a namespace without its first slash, and returns the same one", async () => {
    await using running = await host.start();
    const { io } = running;
    assert.equal(io.of("chat"), io.of("/chat"));
    assert.equal(io.of("/chat").name, "/chat");
    assert.equal(io.of("/"), io.sockets);
  });

  it("removes a query from the name of a namespace", async () => {
    await using running = await host.start();
    running.io.of("/chat");
    const { wire } = await rawPair(running);
    wire.sendText("40/chat?token=abc,");
    assert.match(String(await wire.next()), /^4[04]\/chat/);
  });

  it("emits new_namespace for each new one", async () => {
    await using running = await host.start();
    const { io } = running;
    const made: string[] = [];
    io.on("new_namespace", (namespace) => made.push(namespace.name));
    io.of("/a");
    io.of("/a");
    io.of("/b");
    assert.deepEqual(made, ["/a", "/b"]);
  });

  it("does not confuse a namespace with a property of Object", async () => {
    await using running = await host.start();
    const wire = await rawSession(running);
    wire.sendText("40/__proto__,");
    assert.equal(await wire.next(), '44/__proto__,{"message":"Invalid namespace"}');
  });

  it("is a Namespace, holding its sockets by id", async () => {
    await using running = await host.start();
    const { socket } = await pair(running, {}, "/chat");
    const chat = running.io.of("/chat");
    assert.ok(chat instanceof socketio.Namespace);
    assert.ok(socket instanceof socketio.Socket);
    assert.equal(chat.sockets.get(socket.id), socket);
    assert.equal(socket.nsp, chat);
    assert.equal(chat.server, running.io);
    assert.equal(running.io._nsps.get("/chat"), chat);
  });
});
