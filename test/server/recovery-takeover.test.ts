import assert from "node:assert/strict";

import { connected, onEveryTransport, pair, upgraded } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ClientSocket, ServerOptions, Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { back, heardBy } from "../support/server/recovery.ts";
import { cuttableProxy } from "../support/proxies/tcp.ts";

const options: Partial<ServerOptions> = { connectionStateRecovery: {} };

/** A client behind a proxy that can stop forwarding. */
async function behindProxy(
  running: StartedServer,
  mode: Parameters<StartedServer["client"]>[0],
): Promise<{ client: ClientSocket; socket: Socket; breakLine: () => Promise<void> }> {
  const proxy = await cuttableProxy(running.port);
  running.closeWith(() => proxy.close());
  const connection = next<[Socket]>(running.io, "connection");
  const client = proxy.client(mode);
  running.closeWith(() => client.close());
  await connected(client);
  return {
    client,
    socket: (await connection)[0],
    /** The server learns nothing of it. The client will come back another way. */
    breakLine: async () => {
      proxy.freeze();
      Reflect.set(client.io, "uri", running.url);
      const gone = next(client.io, "close");
      client.io.engine.close();
      await gone;
    },
  };
}

onEveryHost("a half-open connection whose client returns", serverHostsAndApp, (host) => {
  onEveryTransport((name, mode) => {
    it("is taken over", async () => {
      await using running = await host.start(options);
      const { client, socket, breakLine } = await behindProxy(running, mode);
      if (name === "upgrade") await upgraded(client);
      await socket.join("room");
      socket.data["name"] = "Ada";
      const first = next(client, "first");
      socket.emit("first");
      await first;

      await breakLine();
      assert.equal(socket.connected, true);
      running.io.to("room").emit("missed");
      const heard = heardBy(client);
      const gone = next(socket, "disconnect");
      const again = await back(running, client);
      const [reason, description] = await gone;
      assert.equal(reason, "transport close");
      assert.equal((description as { code: string }).code, "REPLACED");
      assert.deepEqual(
        [again.recovered, again.id, again.data, again.rooms],
        [true, socket.id, { name: "Ada" }, new Set(["room", socket.id])],
      );
      assert.deepEqual(
        [running.io.sockets.sockets.size, running.io.sockets.sockets.get(again.id)],
        [1, again],
      );
      assert.equal(running.io.engine.clientsCount, 1);

      const live = next(client, "live");
      running.io.to("room").emit("live");
      await live;
      assert.deepEqual(heard, [["missed"], ["live"]]);
    });
  });

  it("is taken over by a client that has received nothing", async () => {
    await using running = await host.start(options);
    const { client, socket, breakLine } = await behindProxy(running, { transports: ["websocket"] });
    await breakLine();
    socket.emit("missed");
    const heard = heardBy(client);
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.id, heard], [true, socket.id, [["missed"]]]);
  });

  it("is closed with all its namespaces, and each is recovered", async () => {
    await using running = await host.start(options);
    const { client, breakLine } = await behindProxy(running, { transports: ["websocket"] });
    const connection = next<[Socket]>(running.io.of("/other"), "connection");
    const other = client.io.socket("/other");
    const [otherSocket] = await connection;
    await connected(other);
    await breakLine();
    const gone = next(otherSocket, "disconnect");
    const otherBack = back(running, other, "/other");
    assert.equal((await back(running, client)).recovered, true);
    assert.equal((await gone)[0], "transport close");
    assert.deepEqual([(await otherBack).recovered, other.id], [true, otherSocket.id]);
  });

  it("is taken over in a child namespace that is removed when it is empty", async () => {
    await using running = await host.start({ ...options, cleanupEmptyChildNamespaces: true });
    const connection = next<[Socket]>(running.io.of(/^\/child$/), "connection");
    const { client, breakLine } = await behindProxy(running, { transports: ["websocket"] });
    const child = client.io.socket("/child");
    const [socket] = await connection;
    await connected(child);
    // The child is all that is taken over: nothing else may empty it before.
    client.disconnect();
    await breakLine();
    const again = await back(running, child, "/child");
    assert.deepEqual([again.recovered, again.id], [true, socket.id]);
    assert.equal(running.io._nsps.get("/child"), again.nsp);
  });

  it("stays if another client sends an unknown session", async () => {
    await using running = await host.start(options);
    const { socket } = await pair(running);
    const other = await pair(running, { auth: { pid: "unknown" } });
    assert.deepEqual([socket.connected, other.socket.recovered], [true, false]);
  });
});
