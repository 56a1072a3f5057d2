// Credentials that end while a client is connected: expiresAt(), revalidate(), and what official clients make of it.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { mock } from "node:test";
import type { AuthError, Server as OwnServer, Socket as OwnSocket } from "@tidewire/server";
import { cluster } from "../support/cluster/adapter.ts";
import { until } from "../support/engine/peers.ts";
import { uncaught } from "../support/process/uncaught.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { connected, onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { openOldClient, openOldManager } from "../support/server/old-clients.ts";
import { failure, reporting } from "../support/server/on-error.ts";
import { back, lost } from "../support/server/recovery.ts";
import type { ClientSocket, Server, Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";

/** With the members that the official types do not have. */
function own(socket: Socket): OwnSocket;
function own(io: Server): OwnServer;
function own(thing: object): unknown {
  return thing;
}

const expired = { code: "AUTH_EXPIRED", message: "the credentials have expired" };

/** What the client hears of the end of its socket, in order. */
function endOf(client: ClientSocket | object): Promise<unknown[][]> {
  const heard: unknown[][] = [];
  const listening = client as ClientSocket;
  listening.on("auth:ended", (end: unknown) => heard.push(["auth:ended", end]));
  return next(client, "disconnect").then(([reason]) => [...heard, ["disconnect", reason]]);
}

/** Refuses the credentials "bad", and counts how often it is asked. */
function guard(running: StartedServer, namespace = "/"): { asked: number } {
  const counter = { asked: 0 };
  running.io.of(namespace).use((socket, pass) => {
    counter.asked++;
    const { token } = socket.handshake.auth as { token?: string };
    pass(token === "bad" ? Object.assign(new Error("not you"), { data: { hint: "log in" } }) : undefined);
  });
  return counter;
}

onEveryHost("expiresAt()", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("warns the client, then says why it is disconnected; it comes back with new credentials", async () => {
      await using running = await host.start();
      guard(running);
      const tokens = ["old", "new"];
      const auth = (give: (auth: object) => void): void => give({ token: tokens.shift() });
      const { client, socket } = await pair(running, { ...mode, auth });
      const warned = next<[{ expiresAt: number; expiresIn: number }]>(client, "auth:expiring");
      const ended = endOf(client);
      const left = next<[string, AuthError]>(socket, "disconnect");
      const date = Date.now() + 1000;
      own(socket).expiresAt(new Date(date), { warn: 950 });
      const [{ expiresAt, expiresIn }] = await warned;
      assert.equal(expiresAt, date);
      assert.ok(expiresIn <= 950 && expiresIn > 0, `${expiresIn} ms`);
      const [reason, description] = await left;
      assert.ok(Date.now() >= date);
      assert.deepEqual(
        [reason, description.name, description.code],
        ["server namespace disconnect", "AuthError", "AUTH_EXPIRED"],
      );
      assert.deepEqual(await ended, [
        ["auth:ended", expired],
        ["disconnect", "io server disconnect"],
      ]);
      assert.equal(client.active, false);

      const connection = next<[Socket]>(running.io, "connection");
      client.connect();
      const [[again]] = await Promise.all([connection, connected(client)]);
      assert.deepEqual(again.handshake.auth, { token: "new" });
      await settled(client, again);
    });
  });

  it("lets the client that connects with old credentials see connect_error", async () => {
    await using running = await host.start();
    running.io.use((socket, pass) => {
      own(socket).expiresAt(Number((socket.handshake.auth as { expires: number }).expires));
      pass();
    });
    let expires: number | undefined;
    const auth = (give: (auth: object) => void): void => give({ expires: (expires ??= Date.now() + 1000) });
    const { client } = await pair(running, { auth });
    await next(client, "disconnect");
    client.connect();
    const [error] = await next<[Error & { data: unknown }]>(client, "connect_error");
    assert.deepEqual([error.message, error.data], [expired.message, { code: "AUTH_EXPIRED" }]);
    assert.equal(client.active, false);
  });

  it("does not send CONNECT_ERROR, because an official client could not connect again", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const refused = next(client, "connect_error");
    own(socket)._error({ message: "too late" });
    await refused;
    client.connect();
    assert.deepEqual([client.connected, client.active], [true, false]);
  });

  it("ends a socket in one namespace only", async () => {
    await using running = await host.start();
    const here = await pair(running);
    const connection = next<[Socket]>(running.io.of("/other"), "connection");
    const other = here.client.io.socket("/other");
    const [[there]] = await Promise.all([connection, next(other, "connect")]);
    const ended = endOf(other);
    own(there).expiresAt(Date.now() + 20);
    assert.deepEqual(await ended, [
      ["auth:ended", expired],
      ["disconnect", "io server disconnect"],
    ]);
    await settled(here.client, here.socket);
    const again = next<[Socket]>(running.io.of("/other"), "connection");
    other.connect();
    await Promise.all([again, next(other, "connect")]);
    assert.equal(here.client.connected, true);
  });

  it("gets new credentials from the client, which its middleware checks", async () => {
    await using running = await host.start();
    const { asked } = guard(running);
    assert.equal(asked, 0);
    const { client, socket } = await pair(running, { auth: { token: "old" } });
    const given = ["new", "bad"];
    client.on("auth:refresh", (answer: (token?: string) => void) => answer(given.shift()));
    const refreshed: unknown[] = [];
    const ended = endOf(client);
    const left = next<[string, AuthError]>(socket, "disconnect");
    own(socket).expiresAt(Date.now() + 3000, {
      warn: 2900,
      async refresh(it) {
        assert.ok(Object.is(it, socket));
        const token: unknown = await it.timeout(10_000).emitWithAck("auth:refresh");
        const isValid = await it.revalidate({ token });
        refreshed.push([it.handshake.auth["token"], isValid]);
        return isValid ? Date.now() + 3000 : undefined;
      },
    });
    const [reason, { code, message, cause }] = await left;
    assert.deepEqual(
      [reason, code, message, (cause as Error).message],
      [
        "server namespace disconnect",
        "AUTH_REFUSED",
        "a middleware has refused the credentials: not you",
        "not you",
      ],
    );
    assert.deepEqual(await ended, [
      ["auth:ended", { code: "AUTH_REFUSED", message: "not you", data: { hint: "log in" } }],
      ["disconnect", "io server disconnect"],
    ]);
    await new Promise(setImmediate);
    assert.deepEqual(refreshed, [
      ["new", true],
      ["bad", false],
    ]);
  });

  it("does not report the error of refresh() to the client", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const ended = endOf(client);
    const left = next<[string, AuthError]>(socket, "disconnect");
    own(socket).expiresAt(Date.now() + 1000, { warn: 950, refresh: () => Promise.reject(failure) });
    assert.equal((await left)[1].cause, failure);
    assert.deepEqual((await ended)[0], ["auth:ended", expired]);
  });

  it("runs refresh() and listeners in the context in which the date was set", async () => {
    await using running = await host.start();
    const storage = new AsyncLocalStorage<string>();
    const { socket } = await pair(running);
    const contexts: unknown[] = [];
    socket.on("disconnect", () => contexts.push(storage.getStore()));
    storage.run("of the date", () => {
      own(socket).expiresAt(Date.now() + 1000, {
        warn: 950,
        refresh: () => void contexts.push(storage.getStore()),
      });
    });
    await next(socket, "disconnect");
    assert.deepEqual(contexts, ["of the date", "of the date"]);
  });

  it("shows its events to listeners of outgoing events", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const sent: unknown[] = [];
    socket.onAnyOutgoing((event: string) => sent.push(event));
    own(socket).expiresAt(Date.now() + 1000, { warn: 950 });
    await next(socket, "disconnect");
    assert.deepEqual(sent, ["auth:expiring", "auth:ended"]);
  });

  it("follows the fake timers of a test", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
    try {
      own(socket).expiresAt(Date.now() + 60_000, { warn: 10_000 });
      mock.timers.tick(50_000);
      mock.timers.tick(9999);
      assert.equal(socket.connected, true);
      mock.timers.tick(1);
      assert.equal(socket.connected, false);
    } finally {
      mock.timers.reset();
    }
    if (client.connected) await next(client, "disconnect");
  });

  it("ends sockets of Socket.IO 2, which come back", async () => {
    await using running = await host.start({ allowEIO3: true });
    const connection = next<[Socket]>(running.io, "connection");
    const client = openOldClient(running.url);
    running.closeWith(() => client.close());
    const [[socket]] = await Promise.all([connection, next(client, "connect")]);
    const warned = next(client, "auth:expiring");
    const ended = endOf(client);
    own(socket).expiresAt(Date.now() + 1000, { warn: 950 });
    await warned;
    assert.deepEqual(await ended, [
      ["auth:ended", expired],
      ["disconnect", "io server disconnect"],
    ]);
    const again = next(running.io, "connection");
    client.open();
    await Promise.all([again, next(client, "connect")]);
  });

  it("refuses and checks sockets of Socket.IO 2 by the query of their namespace", async () => {
    await using running = await host.start({ allowEIO3: true });
    const counter = guard(running, "/orders");
    const connection = next<[Socket]>(running.io.of("/orders"), "connection");
    const manager = openOldManager(running.url);
    const client = manager.socket("/orders", { query: { token: "good" } });
    running.closeWith(() => client.close());
    const [[socket]] = await Promise.all([connection, next(client, "connect")]);
    assert.equal(await own(socket).revalidate(), true);
    assert.equal(counter.asked, 2);
    const ended = endOf(client);
    assert.equal(await own(socket).revalidate({ token: "bad" }), false);
    assert.deepEqual((await ended).at(-1), ["disconnect", "io server disconnect"]);
  });

  it("keeps no record of sockets that have left, whatever the reason", async () => {
    await using running = await host.start();
    const io = own(running.io);
    const one = await pair(running);
    assert.equal(io._expiries, undefined);
    const two = await pair(running);
    for (const { socket } of [one, two]) own(socket).expiresAt(Date.now() + 1_000_000);
    const gone = [next(one.socket, "disconnect"), next(two.socket, "disconnect")];
    one.client.close();
    two.socket.disconnect();
    await Promise.all(gone);
    assert.deepEqual(
      [one, two].map(({ socket }) => io._expiries?.timeOf(own(socket))),
      [undefined, undefined],
    );
  });
});

onEveryHost("revalidate()", serverHosts, (host) => {
  it("calls all middlewares again, in order, and lets the socket stay", async () => {
    await using running = await host.start();
    const calls: string[] = [];
    running.io.use((_socket, pass) => (calls.push("first"), setImmediate(pass)));
    running.io.use((_socket, pass) => (calls.push("second"), pass()));
    const { client, socket } = await pair(running, { auth: { token: "t" } });
    calls.length = 0;
    assert.equal(await own(socket).revalidate(), true);
    assert.deepEqual(calls, ["first", "second"]);
    assert.deepEqual(socket.handshake.auth, { token: "t" });
    await settled(client, socket);
  });

  it("takes the first decision of a middleware that decides twice", async () => {
    await using running = await host.start();
    let isFirst = true;
    running.io.use((_socket, pass) => {
      pass();
      if (!isFirst) pass(new Error("too late"));
      isFirst = false;
    });
    const { client, socket } = await pair(running);
    assert.equal(await own(socket).revalidate(), true);
    await settled(client, socket);
  });

  it("refuses at once what a middleware throws, with and without io.onError()", async () => {
    for (const handled of [false, true]) {
      await using running = await host.start();
      let fails = false;
      running.io.use((_socket, pass) => {
        if (fails) throw failure;
        pass();
      });
      const { client, socket } = await pair(running);
      const reported = handled ? reporting(running).reported : undefined;
      const ended = endOf(client);
      fails = true;
      const outcome = own(socket).revalidate();
      if (reported === undefined) await assert.rejects(outcome, failure);
      else {
        assert.equal(await outcome, false);
        assert.equal((await reported()).source, "middleware");
      }
      assert.deepEqual(await ended, [
        ["auth:ended", { code: "AUTH_REFUSED", message: "Internal server error" }],
        ["disconnect", "io server disconnect"],
      ]);
    }
  });

  it("returns false for a socket that has left, before or meanwhile", async () => {
    await using running = await host.start();
    let decide = (): void => {};
    let isSlow = false;
    running.io.use((_socket, pass) => {
      decide = pass;
      if (!isSlow) pass();
    });
    const { client, socket } = await pair(running);
    isSlow = true;
    const outcome = own(socket).revalidate();
    const gone = next(socket, "disconnect");
    client.close();
    await gone;
    decide();
    assert.equal(await outcome, false);
    assert.equal(await own(socket).revalidate(), false);
  });

  it("reaches the chosen sockets through operators and namespaces", async () => {
    await using running = await host.start();
    const counter = guard(running);
    const [one, two, three] = [await pair(running), await pair(running), await pair(running)];
    await one.socket.join("room");
    await two.socket.join("room");
    counter.asked = 0;
    two.socket.handshake.auth = { token: "bad" };
    three.socket.handshake.auth = { token: "bad" };
    const ended = endOf(two.client);
    own(running.io).in("room").revalidateSockets();
    assert.deepEqual((await ended)[0]?.[0], "auth:ended");
    assert.equal(counter.asked, 2);
    assert.equal(three.socket.connected, true);
    const rest = endOf(three.client);
    own(running.io).of("/").revalidateSockets();
    await rest;
    assert.equal(counter.asked, 4);
    own(running.io).of(one.socket.nsp.name).except("room").revalidateSockets();
    await settled(one.client, one.socket);
    assert.equal(counter.asked, 4);
  });

  it("reports what a middleware throws to io.onError(), or as an uncaught exception", async () => {
    await using running = await host.start();
    let fails = false;
    running.io.use((_socket, pass) => {
      if (fails) throw failure;
      pass();
    });
    const { client } = await pair(running);
    fails = true;
    const ended = endOf(client);
    const errors = uncaught(1);
    own(running.io).revalidateSockets();
    assert.deepEqual(await errors, [failure]);
    await ended;
  });

  it("reaches the sockets of other servers", async () => {
    const adapter = cluster() as never;
    await using near = await host.start({ adapter });
    await using far = await host.start({ adapter });
    const counters = [guard(near), guard(far)];
    const [here, there, other] = [await pair(near), await pair(far), await pair(far)];
    for (const { socket } of [here, there]) await socket.join("user:1");
    for (const { socket } of [here, there, other]) socket.handshake.auth = { token: "bad" };
    near.io.on("tidewire:revalidate" as never, () => assert.fail("a listener heard it"));
    const both = [endOf(here.client), endOf(there.client)];
    own(near.io).in("user:1").revalidateSockets();
    for (const ended of both) assert.deepEqual((await ended)[0]?.[0], "auth:ended");
    assert.deepEqual(
      counters.map(({ asked }) => asked),
      [2, 3],
    );
    own(near.io).local.revalidateSockets();
    await settled(other.client, other.socket);
    const last = endOf(other.client);
    own(near.io).revalidateSockets();
    await last;
  });

  it("throws on a parent namespace", async () => {
    await using running = await host.start();
    const parent = own(running.io).of(/^\/dynamic-\d+$/);
    const unsupported = { message: "revalidateSockets() is not supported on parent namespaces" };
    assert.throws(() => parent.revalidateSockets(), unsupported);
    assert.throws(() => parent.in("room").revalidateSockets(), unsupported);
  });
});

onEveryHost("credentials and recovery", serverHosts, (host) => {
  const options = { connectionStateRecovery: {} };

  it("gives a recovered socket the date of the earlier connection", async () => {
    await using running = await host.start(options);
    const { client, socket } = await pair(running);
    own(socket).expiresAt(Date.now() + 2500, { warn: 0 });
    await lost(client, socket);
    const again = await back(running, client);
    assert.equal(again.recovered, true);
    const ended = endOf(client);
    const [reason, description] = await next<[string, AuthError]>(again, "disconnect");
    assert.deepEqual([reason, description.code], ["server namespace disconnect", "AUTH_EXPIRED"]);
    assert.deepEqual(await ended, [
      ["auth:ended", expired],
      ["disconnect", "io server disconnect"],
    ]);
  });

  it("recovers nothing once the credentials have expired, so that the middlewares decide", async () => {
    await using running = await host.start(options);
    const counter = guard(running);
    const { client, socket } = await pair(running);
    await socket.join("room");
    const date = Date.now() + 500;
    own(socket).expiresAt(date, { warn: 0 });
    await lost(client, socket);
    await until(() => Date.now() > date, "the end of the credentials");
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.rooms.has("room"), counter.asked], [false, false, 2]);
  });

  it("recovers nothing after an end of credentials", async () => {
    await using running = await host.start(options);
    const { client, socket } = await pair(running);
    const ended = endOf(client);
    own(socket).expiresAt(Date.now() + 20);
    await ended;
    const again = await back(running, client);
    assert.equal(again.recovered, false);
  });

  it("keeps a date that the application sets again, with its options", async () => {
    await using running = await host.start(options);
    running.io.on("connection", (socket) => {
      own(socket).expiresAt(Date.now() + 60_000, { refresh: () => undefined });
    });
    const { client, socket } = await pair(running);
    const first = own(socket)._expiresAt!;
    await lost(client, socket);
    const again = await back(running, client);
    assert.equal(again.recovered, true);
    assert.ok(own(again)._expiresAt! >= first);
  });

  it("adds nothing to the state of a socket without a date", async () => {
    await using running = await host.start(options);
    const kept: object[] = [];
    running.io.sockets.adapter.persistSession = (state) => void kept.push(state);
    const { client, socket } = await pair(running);
    await lost(client, socket);
    assert.deepEqual(Object.keys(kept[0]!), ["sid", "pid", "rooms", "data"]);
  });
});
