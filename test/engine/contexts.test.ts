// With an AsyncLocalStorage around each request: in whose context listeners and callbacks run.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import type { EventEmitter } from "node:events";
import type { EngineOptions, Session } from "../support/engine/types.ts";
import { collectGarbage } from "../support/process/garbage.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireRequest, WireSocket } from "../support/wire/client.ts";

interface Store {
  readonly name: string;
}

/** What runs now belongs to the request of this name. */
const requests = new AsyncLocalStorage<Store>();
const current = (): string | undefined => requests.getStore()?.name;

const named = (name?: string): WireRequest => (name === undefined ? {} : { headers: { "x-name": name } });

/** An engine whose handshakes each run in a context of their own, under the name in their headers, where there is one. */
function start(host: EngineHost, options: EngineOptions = {}): Promise<StartedEngine> {
  return host.start({
    ...options,
    allowRequest(req, decide) {
      const name = req.headers["x-name"];
      if (typeof name !== "string") decide(null, true);
      else requests.run({ name }, () => decide(null, true));
    },
  });
}

/** An engine with a middleware before each request, in which it runs in a context of its own. */
async function startWithMiddleware(host: EngineHost, options: EngineOptions = {}): Promise<StartedEngine> {
  const server = await host.start(options);
  server.engine.use((req, _res, next) => requests.run({ name: String(req.headers["x-name"]) }, next));
  return server;
}

type Opened = { session: Session; socket: WireSocket | undefined };
type Open = (server: StartedEngine, name?: string) => Promise<Opened>;

const byWebSocket: Open = async (server, name) => {
  const socket = await server.client.websocket(server.path("transport=websocket"), named(name));
  await socket.next();
  return { socket, session: await server.nextSession() };
};

const byOldWebSocket: Open = async (server, name) => {
  const path = server.path("transport=websocket").replace("EIO=4", "EIO=3");
  const socket = await server.client.websocket(path, named(name));
  await socket.next();
  return { socket, session: await server.nextSession() };
};

const byPolling: Open = async (server, name) => {
  const { session } = await PollingPeer.open(server, named(name));
  return { session, socket: undefined };
};

const ways: Readonly<Record<string, Open>> = {
  WebSocket: byWebSocket,
  "WebSocket, protocol 3": byOldWebSocket,
  "long-polling": byPolling,
};

/** The context in which the listener of the event is called next. */
function contextOf(emitter: EventEmitter, event: string): Promise<string | undefined> {
  const called = new Promise<string | undefined>((resolve) => {
    emitter.once(event, () => resolve(current()));
  });
  return within(called, `the event ${event}`);
}

/** A function, so that nothing else holds the session. */
async function comeAndGo(server: StartedEngine, open: Open): Promise<void> {
  const { session, socket } = await open(server, "one who goes");
  session.send("news", {}, () => {});
  if (socket === undefined) session.close(true);
  else socket.close();
  await server.closed(session);
}

onEveryHost("engine: async contexts", engineHosts, (host) => {
  for (const [way, open] of Object.entries(ways)) {
    host.it(`emits a session's events in the context of its handshake [${way}]`, async () => {
      await using server = await start(host, { allowEIO3: true });
      const told = contextOf(server.engine, "connection");
      await open(server, "a");
      assert.equal(await told, "a");
    });

    host.it(`emits a ping timeout in the context of each client's handshake [${way}]`, async () => {
      await using server = await start(host, { allowEIO3: true, pingInterval: 100, pingTimeout: 100 });
      const names: string[] = [];
      server.engine.on("connection", (session: Session) => {
        session.on("close", () => names.push(String(current())));
      });
      await Promise.all(["a", "b", "c"].map((name) => open(server, name)));
      await until(() => names.length === 3, "three sessions to close");
      assert.deepEqual(names.toSorted(), ["a", "b", "c"]);
    });
  }

  host.it("emits a ping timeout outside any context if the handshake had none", async () => {
    await using server = await start(host, { pingInterval: 100, pingTimeout: 100 });
    const names: (string | undefined)[] = [];
    server.engine.on("connection", (session: Session) => {
      session.on("close", () => names.push(current()));
    });
    await byWebSocket(server, "a");
    await byWebSocket(server);
    await until(() => names.length === 2, "both sessions to close");
    assert.deepEqual(names, ["a", undefined]);
  });
  for (const [way, open] of Object.entries(ways)) {
    const title = `goes on in the context in which a middleware has called next [${way}]`;
    host.it(title, async () => {
      await using server = await startWithMiddleware(host, { allowEIO3: true });
      const names: (string | undefined)[] = [];
      server.engine.use((_req, _res, next) => {
        names.push(current());
        next();
      });
      const told = contextOf(server.engine, "connection");
      await open(server, "a");
      assert.deepEqual([...names, await told], ["a", "a"]);
    });
  }

  host.it("sends a ping in the context of the handshake", async () => {
    await using server = await start(host);
    const both = [await byWebSocket(server, "a"), await byWebSocket(server, "b")];
    const pinged = Promise.all(both.map(({ session }) => contextOf(session, "packetCreate")));
    server.engine.opts.pingInterval = 100;
    // The interval begins with a pong.
    for (const { socket } of both) socket!.sendText("3");
    assert.deepEqual(await pinged, ["a", "b"]);
  });
  host.it("flushes in the context of the session, whoever sends to it", async () => {
    await using server = await start(host);
    const a = await byWebSocket(server, "a");
    const b = await byWebSocket(server, "b");
    const events = ["flush", "drain"].flatMap((event) => [
      contextOf(a.session, event),
      contextOf(b.session, event),
    ]);
    requests.run({ name: "a sender" }, () => {
      a.session.send("news");
      b.session.send("news");
    });
    assert.deepEqual(await Promise.all(events), ["a", "b", "a", "b"]);
  });

  for (const [way, open] of Object.entries({ WebSocket: byWebSocket, "long-polling": byPolling })) {
    host.it(`calls back from send() in the context of the caller [${way}]`, async () => {
      await using server = await start(host);
      const { session } = await open(server, "a");
      const names: (string | undefined)[] = [];
      const send = (): void => void session.send("news", {}, () => names.push(current()));
      requests.run({ name: "b" }, send);
      send();
      requests.run({ name: "c" }, send);
      if (way === "long-polling") {
        await server.client.get(server.path(`transport=polling&sid=${session.id}`), named("a poll"));
      }
      await until(() => names.length === 3, "three callbacks");
      assert.deepEqual(names, ["b", undefined, "c"]);
    });
  }
  host.it("reports an upgrade that takes too long in its context", async () => {
    await using server = await startWithMiddleware(host, { upgradeTimeout: 100 });
    await byWebSocket(server, "another client");
    const { session } = await byPolling(server, "a");
    const told = contextOf(server.engine, "connection_error");
    const path = server.path(`transport=websocket&sid=${session.id}`);
    await server.client.websocket(path, named("an upgrade"));
    assert.equal(await told, "an upgrade");
  });

  host.it("releases the context of a disconnected client", { timeout: 30_000 }, async () => {
    const stores: WeakRef<Store>[] = [];
    await using server = await host.start({
      allowRequest(req, decide) {
        const store = { name: String(req.headers["x-name"]) };
        if (store.name !== "one who stays") stores.push(new WeakRef(store));
        requests.run(store, () => decide(null, true));
      },
    });
    // The first one starts whatever all share.
    await comeAndGo(server, byWebSocket);
    await comeAndGo(server, byPolling);
    const staying = await byWebSocket(server, "one who stays");
    staying.session.send("news");
    await staying.socket!.next();
    const alive = (): number => stores.filter((store) => store.deref() !== undefined).length;
    await until(() => {
      collectGarbage();
      return alive() === 0;
    }, "the contexts of clients that are gone to be collected");
    assert.equal(stores.length, 2);
  });
});
