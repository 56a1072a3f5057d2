import assert from "node:assert/strict";
import { connected, onEveryTransport, pair } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ClientSocket, ServerOptions, Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { back, heardBy, lost, offset } from "../support/server/recovery.ts";

const options: Partial<ServerOptions> = { connectionStateRecovery: {} };

onEveryHost("connection state recovery", serverHostsAndApp, (host) => {
  onEveryTransport((_name, mode) => {
    it("restores the id, rooms, data and missed packets of a returning client", async () => {
      await using running = await host.start(options);
      let asked = 0;
      running.io.use((_socket, pass) => {
        asked++;
        pass();
      });
      const { client, socket } = await pair(running, mode);
      await socket.join("room");
      socket.data["name"] = "Ada";
      const first = next(client, "first");
      socket.emit("first", 1);
      assert.match(String((await first)[1]), offset);

      await lost(client, socket);
      const heard = heardBy(client);
      running.io.emit("to all", Buffer.from([1]));
      running.io.to("room").emit("to the room");
      running.io.to(socket.id).emit("to it");
      running.io.to("elsewhere").emit("to others");
      running.io.except("room").emit("to others");
      const again = await back(running, client);
      assert.deepEqual(
        [again.recovered, again.id, again.data, [...again.rooms], asked],
        [true, socket.id, { name: "Ada" }, [socket.id, "room"], 1],
      );
      assert.deepEqual([client.recovered, client.id], [true, socket.id]);
      assert.deepEqual(heard, [["to all", Buffer.from([1])], ["to the room"], ["to it"]]);
    });
  });

  it("lets rooms and broadcasts reach a recovered socket", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await socket.join("room");
    await heardOnce(client, socket);
    await lost(client, socket);
    const again = await back(running, client);
    const heard = heardBy(client);
    const last = next(client, "last");
    running.io.emit("to all");
    running.io.to("room").emit("to the room");
    running.io.to(again.id).emit("to it");
    again.emit("last");
    await last;
    assert.deepEqual(heard, [["to all"], ["to the room"], ["to it"], ["last"]]);
  });

  it("a volatile event does not change the offset", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    const volatile = next(client, "volatile");
    socket.volatile.emit("volatile", "some text");
    assert.equal((await volatile).length, 2);
    await lost(client, socket);
    running.io.emit("missed");
    const heard = heardBy(client);
    assert.equal((await back(running, client)).recovered, true);
    assert.deepEqual(heard, [["missed"]]);
  });

  it("an event that requests an ack does not change the offset, and arrives unchanged", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    client.once("question", (...args: unknown[]) => (args.at(-1) as (count: number) => void)(args.length));
    assert.equal(await socket.emitWithAck("question", "some text"), 2);
    await lost(client, socket);
    running.io.emit("missed");
    const heard = heardBy(client);
    assert.equal((await back(running, client)).recovered, true);
    assert.deepEqual(heard, [["missed"]]);
  });

  it("a client that has received nothing recovers all packets since it joined", async () => {
    await using running = await host.start(options);
    running.io.emit("before");
    const { client, socket } = await pair(running);
    await lost(client, socket);
    running.io.emit("missed");
    const heard = heardBy(client);
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.id], [true, socket.id]);
    assert.deepEqual(heard, [["missed"]]);
  });

  it("works repeatedly", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    let present = socket;
    for (let i = 0; i < 3; i++) {
      await lost(client, present);
      running.io.emit("missed", i);
      const heard = heardBy(client);
      present = await back(running, client);
      assert.deepEqual([present.id, heard], [socket.id, [["missed", i]]]);
      client.offAny();
    }
  });

  it("starts a new session after a deliberate disconnection", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.id === socket.id, client.recovered], [false, false, false]);
  });

  it("starts a new session after a recovered socket disconnected on purpose", async () => {
    await using running = await host.start(options);
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    await lost(client, socket);
    const again = await back(running, client);
    const gone = next(again, "disconnect");
    client.disconnect();
    await gone;
    client.connect();
    assert.equal((await back(running, client)).recovered, false);
  });

  it("starts a new session when more was missed than the log holds", async () => {
    const recovery: object = { maxLogBytes: 10_000 };
    await using running = await host.start({ connectionStateRecovery: recovery });
    const { client, socket } = await come(running);
    await heardOnce(client, socket);
    await lost(client, socket);
    for (let i = 0; i < 20; i++) running.io.emit("missed", "x".repeat(1000));
    const heard = heardBy(client);
    assert.equal((await back(running, client)).recovered, false);
    assert.deepEqual(heard, []);
  });

  it("keeps packets sent while the middlewares run", async () => {
    await using running = await host.start({ connectionStateRecovery: { skipMiddlewares: false } });
    running.io.use((socket, pass) => {
      if (socket.recovered) running.io.emit("meanwhile");
      setImmediate(pass);
    });
    const { client, socket } = await pair(running);
    await heardOnce(client, socket);
    await lost(client, socket);
    running.io.emit("missed");
    const heard = heardBy(client);
    await back(running, client);
    assert.deepEqual(heard, [["missed"], ["meanwhile"]]);
  });

  it("a refused client gets its missed packets later, once", async () => {
    await using running = await host.start({ connectionStateRecovery: { skipMiddlewares: false } });
    let refused = 0;
    running.io.use((socket, pass) => pass(socket.recovered && refused++ === 0 ? new Error("no") : undefined));
    const { client, socket } = await pair(running);
    await heardOnce(client, socket);
    await lost(client, socket);
    running.io.emit("missed");
    const heard = heardBy(client);
    const refusal = next(client, "connect_error");
    client.connect();
    await refusal;
    await back(running, client);
    assert.deepEqual(heard, [["missed"]]);
  });

  it("delivers what a middleware emits to the socket", async () => {
    await using running = await host.start(options);
    running.io.use((socket, pass) => {
      socket.emit("early", "some text");
      pass();
    });
    const client = running.client();
    const [early] = await Promise.all([next(client, "early"), connected(client)]);
    assert.equal(early[0], "some text");
    const [socket] = running.io.sockets.sockets.values();
    await lost(client, socket!);
    const heard = heardBy(client);
    running.io.emit("missed");
    assert.equal((await back(running, client)).recovered, true);
    assert.deepEqual(heard, [["missed"]]);
  });

  it("still works after a middleware has refused once", async () => {
    await using running = await host.start({ connectionStateRecovery: { skipMiddlewares: false } });
    let refused = 0;
    running.io.use((socket, pass) => pass(socket.recovered && refused++ === 0 ? new Error("no") : undefined));
    const { client, socket } = await pair(running);
    await heardOnce(client, socket);
    await lost(client, socket);
    const refusal = next<[Error]>(client, "connect_error");
    client.connect();
    assert.equal((await refusal)[0].message, "no");
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.id], [true, socket.id]);
  });
});

/** A client over WebSocket, and its socket. */
function come(running: StartedServer): Promise<Pair> {
  return pair(running, { transports: ["websocket"] });
}

/** Sends an event, so that the client has an offset. */
async function heardOnce(client: ClientSocket, socket: Socket): Promise<void> {
  const first = next(client, "first");
  socket.emit("first");
  await first;
}
