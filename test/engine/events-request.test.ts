import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import type { Session } from "../support/engine/types.ts";
import { collectGarbage } from "../support/process/garbage.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, rawWebSocket, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

/** What public code looks at beyond `conn.transport`. */
interface WebSocketTransport {
  socket: { bufferedAmount: number; readyState: number; _socket: { remoteAddress: string } };
}

function webSocketOf(session: Session): WebSocketTransport["socket"] {
  return (session.transport as unknown as WebSocketTransport).socket;
}

interface MutableSession {
  request?: unknown;
}

async function assertWorks(server: StartedEngine, session: Session, socket: { next(): Promise<unknown> }) {
  session.send("still here");
  assert.equal(await socket.next(), "4still here");
  assert.equal(server.engine.clients[session.id], session);
}

const LOOPBACK = /^(::ffff:)?127\.0\.0\.1$/;

onEveryHost("engine: what a session knows about its client", engineHosts, (host) => {
  host.it("has the address of the client, on both transports", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const polling = await PollingPeer.open(server);
    assert.match(polling.session.remoteAddress, LOOPBACK);
    const { session } = await openWebSocket(server);
    assert.match(session.remoteAddress, LOOPBACK);
    assert.equal(session.remoteAddress, webSocketOf(session)._socket.remoteAddress);
  });

  host.it("still has the address after the client has disconnected", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const before = session.remoteAddress;
    socket.reset();
    await server.closed(session);
    assert.equal(session.remoteAddress, before);
  });

  host.it("has transport.socket.bufferedAmount, which grows and falls", { needs: "tcp" }, async () => {
    await using server = await host.start({ maxBackpressure: 0 });
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    assert.equal(webSocketOf(session).bufferedAmount, 0);
    socket.pause();
    session.send(Buffer.alloc(20_000_000));
    await until(() => webSocketOf(session).bufferedAmount > 1_000_000, "bytes to be buffered");
    socket.resume();
    await socket.next();
    await until(() => webSocketOf(session).bufferedAmount === 0, "the buffer to be empty");
  });

  host.it(
    "has transport.socket.readyState, 1 while it is open and 3 once it is closed",
    { needs: "tcp" },
    async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      const { transport } = session;
      assert.equal(webSocketOf(session).readyState, 1);
      socket.close();
      await server.closed(session);
      assert.equal((transport as unknown as WebSocketTransport).socket.readyState, 3);
    },
  );

  host.it("knows its engine", async () => {
    await using server = await host.start();
    const { session } = await openWebSocket(server);
    assert.equal((session as unknown as { server: unknown }).server, server.engine);
  });

  host.it("keeps the request of the handshake, and properties added to it", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server, { headers: { "x-test": "1" } });
    const { request } = peer.session;
    (request as IncomingMessage & { user?: string }).user = "me";
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    assert.equal(peer.session.request, request);
    assert.equal((peer.session.request as unknown as { user: string }).user, "me");
    assert.equal(request.headers["x-test"], "1");
    assert.equal(request._query["transport"], "polling");
  });
  host.it("works behind a Proxy that only binds its members", async () => {
    await using server = await host.start();
    const { session } = await openWebSocket(server);
    assert.throws(() => new Proxy(session, {}).upgrading, TypeError);
    const bound = new Proxy(session, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    assert.equal(bound.upgrading, false);
    bound.close();
    assert.equal((await server.closed(session)).reason, "forced close");
  });

  host.it("has a query that is a plain object", async () => {
    await using server = await host.start();
    await server.client.get(server.path("transport=polling&a=1&__proto__=x"));
    const { _query: query } = (await server.nextSession()).request;
    // oxlint-disable-next-line no-prototype-builtins -- that is what applications call
    assert.deepEqual([query.hasOwnProperty("a"), query.hasOwnProperty("b")], [true, false]);
    assert.equal(`${query as unknown as string}`, "[object Object]");
    assert.deepEqual(Object.keys(query), ["EIO", "transport", "a", "__proto__"]);
    assert.equal(Object.getPrototypeOf(query), Object.prototype);
  });

  for (const [what, destroy] of [
    ["its request", (request: IncomingMessage) => request.destroy()],
    ["the socket of its request", (request: IncomingMessage) => request.socket.destroy()],
  ] as const) {
    host.it(`is disconnected, on a WebSocket, by destroying ${what}`, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      destroy(session.request);
      assert.equal((await socket.closed).code, 1006);
      assert.equal((await server.closed(session)).reason, "transport close");
    });
  }

  host.it("releases its request when the property is set to null", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    (session as MutableSession).request = null;
    assert.equal(session.request, null);
    await assertWorks(server, session, socket);
  });

  host.it("releases its request when the property is deleted", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    assert.ok(Object.hasOwn(session, "request"));
    assert.equal(delete (session as MutableSession).request, true);
    assert.equal(session.request, undefined);
    assert.equal("request" in session, false);
    await assertWorks(server, session, socket);
  });

  host.it("works without a request: upgrade, heartbeat, close", async () => {
    await using server = await host.start({ pingInterval: 30 });
    server.engine.on("connection", (session: MutableSession) => delete session.request);
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText("5");
    assert.equal(await socket.next(), "2");
    const beaten = new Promise((resolve) => peer.session.once("heartbeat", resolve));
    socket.sendText("3");
    await beaten;
    assert.equal(peer.session.request, undefined);
    peer.session.close();
    assert.equal((await server.closed(peer.session)).reason, "forced close");
  });

  for (const [how, letGo] of [
    ["set to null", (session: MutableSession) => (session.request = null)],
    ["deleted", (session: MutableSession) => delete session.request],
  ] as const) {
    const title = `frees the memory of a request that is ${how}, while the session goes on`;
    host.it(title, async () => {
      await using server = await host.start({ pingInterval: 20 });
      const request = new Promise<WeakRef<object>>((resolve) => {
        server.engine.once("connection", (session: Session) => {
          resolve(new WeakRef(session.request));
          letGo(session);
        });
      });
      const { socket, session } = await openWebSocket(server);
      const beaten = new Promise((resolve) => session.once("heartbeat", resolve));
      assert.equal(await socket.next(), "2");
      socket.sendText("3");
      await beaten;
      const ref = await request;
      await until(() => {
        collectGarbage();
        return ref.deref() === undefined;
      }, "the request to be collected");
      assert.equal(session.readyState, "open");
    });
  }

  host.it("accepts another request in place of its own", async () => {
    await using server = await host.start();
    const { session } = await openWebSocket(server);
    const other = { headers: {} };
    (session as MutableSession).request = other;
    assert.equal(session.request, other);
  });

  host.it("keeps the table of its sessions a plain object, by id", async () => {
    await using server = await host.start();
    const one = await PollingPeer.open(server);
    const two = await openWebSocket(server);
    const { clients } = server.engine;
    assert.deepEqual(Object.keys(clients).sort(), [one.sid, two.session.id].sort());
    assert.equal(clients[one.sid], one.session);
    assert.equal(server.engine.clientsCount, 2);
    two.socket.reset();
    await server.closed(two.session);
    assert.deepEqual(Object.keys(clients), [one.sid]);
    assert.equal(server.engine.clientsCount, 1);
  });
});
