import assert from "node:assert/strict";
import { connected, onEveryTransport } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { internals } from "../support/server/internals.ts";

type ConnectError = Error & { data?: unknown };

onEveryHost("connect error", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("says Invalid namespace for a namespace that does not exist", async () => {
      await using running = await host.start();
      const [error] = await next<[ConnectError]>(running.client(mode, "/nope"), "connect_error");
      assert.equal(error.message, "Invalid namespace");
      assert.equal(error.data, undefined);
    });

    it("sends the message and data of a middleware's error", async () => {
      await using running = await host.start();
      running.io.use((_socket, done) => {
        done(Object.assign(new Error("not authorized"), { data: { code: 42, why: ["a", null] } }));
      });
      const [error] = await next<[ConnectError]>(running.client(mode), "connect_error");
      assert.equal(error.message, "not authorized");
      assert.deepEqual(error.data, { code: 42, why: ["a", null] });
    });
  });

  it("sends no stack and no other property of the error", async () => {
    await using running = await host.start();
    running.io.use((_socket, done) => done(Object.assign(new Error("no"), { secret: 1 })));
    const [error] = await next<[ConnectError]>(running.client(), "connect_error");
    assert.deepEqual(Object.keys(error).toSorted(), ["data"]);
  });

  it("lets the same connection try again after a refusal", async () => {
    await using running = await host.start();
    let open = false;
    running.io.use((_socket, done) => done(open ? undefined : new Error("not yet")));
    const client = running.client();
    await next(client, "connect_error");
    open = true;
    client.connect();
    await connected(client);
    assert.equal(running.io.engine.clientsCount, 1);
  });

  it("refuses one namespace while another of the same connection stays", async () => {
    await using running = await host.start();
    running.io.of("/admin").use((_socket, done) => done(new Error("admins only")));
    const client = running.client();
    await connected(client);
    const admin = client.io.socket("/admin", {});
    const [error] = await next<[ConnectError]>(admin, "connect_error");
    assert.equal(error.message, "admins only");
    assert.equal(client.connected, true);
    assert.equal(running.io.of("/admin").sockets.size, 0);
  });

  it("keeps nothing of a refused socket in the namespace", async () => {
    await using running = await host.start();
    running.io.use((socket, done) => {
      void socket.join("room");
      done(new Error("no"));
    });
    await next(running.client(), "connect_error");
    assert.equal(running.io.sockets.sockets.size, 0);
    assert.equal(internals(running.io.sockets)._preConnectSockets.size, 0);
    assert.equal(running.io.sockets.adapter.rooms.size, 0);
    assert.equal(running.io.sockets.adapter.sids.size, 0);
  });

  it("closes a connection that joins no namespace within connectTimeout", async () => {
    await using running = await host.start({ connectTimeout: 50 });
    const client = running.client({ autoConnect: false });
    const connection = next(running.io.engine, "connection");
    client.io.open();
    const [conn] = await connection;
    const [reason] = await next(conn, "close");
    assert.equal(reason, "forced close");
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("keeps a connection that joined within connectTimeout", async () => {
    await using running = await host.start({ connectTimeout: 600 });
    const client = running.client();
    await connected(client);
    const left = running.client({ autoConnect: false });
    const connection = next(running.io.engine, "connection");
    left.io.open();
    const [conn] = await connection;
    await next(conn, "close");
    assert.equal(client.connected, true);
  });
});
