import assert from "node:assert/strict";
import session from "express-session";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { cookieOf, install, use, ways } from "../support/engine/middlewares.ts";
import { PollingPeer } from "../support/engine/peers.ts";

interface Visits {
  visits?: number;
  save(done: (error?: unknown) => void): void;
  reload(done: (error?: unknown) => void): void;
}

const NAME = "connect.sid";

const secret = { secret: "keyboard cat", resave: false };

function sessionOf(request: unknown): session.Session & Visits {
  return (request as { session: session.Session & Visits }).session;
}

function countStored(store: session.MemoryStore): Promise<number> {
  return new Promise((resolve, reject) => {
    store.length((error, length) => (error ? reject(error as Error) : resolve(length ?? 0)));
  });
}

onEveryHost("middlewares: express-session", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("sets a cookie for a new session with saveUninitialized", async () => {
        await using server = await host.start();
        const store = new session.MemoryStore();
        install(server.engine, session({ ...secret, saveUninitialized: true, store }));
        const { session: connection, headers } = await way.open(server);
        assert.match(headers["set-cookie"]?.[0] ?? "", /^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/);
        assert.ok(sessionOf(connection.request).id);
        if (way.name === "polling") assert.equal(await countStored(store), 1);
      });

      host.it("sets no cookie for a new session without saveUninitialized", async () => {
        await using server = await host.start();
        const store = new session.MemoryStore();
        install(server.engine, session({ ...secret, saveUninitialized: false, store }));
        const { session: connection, headers } = await way.open(server);
        assert.equal(headers["set-cookie"], undefined);
        assert.ok(sessionOf(connection.request).id);
        assert.equal(await countStored(store), 0);
      });

      host.it("sets a cookie for a session that a middleware has changed", async () => {
        await using server = await host.start();
        install(server.engine, session({ ...secret, saveUninitialized: false }));
        use(server.engine, (req, _res, next) => {
          sessionOf(req).visits = 1;
          next();
        });
        const { headers } = await way.open(server);
        assert.ok(cookieOf(headers, NAME));
      });

      host.it("finds the session again by its cookie", async () => {
        await using server = await host.start();
        install(server.engine, session({ ...secret, saveUninitialized: false }));
        use(server.engine, (req, _res, next) => {
          const { session: visitor } = req as unknown as { session: Visits };
          visitor.visits = (visitor.visits ?? 0) + 1;
          visitor.save(next);
        });
        const first = await way.open(server);
        const cookie = cookieOf(first.headers, NAME) as string;
        const second = await way.open(server, { cookie });
        assert.equal(sessionOf(second.session.request).visits, 2);
        assert.equal(sessionOf(second.session.request).id, sessionOf(first.session.request).id);
      });

      host.it("lets listeners change, save and reload the session later", async () => {
        await using server = await host.start();
        install(server.engine, session({ ...secret, saveUninitialized: true }));
        const first = await way.open(server);
        const cookie = cookieOf(first.headers, NAME) as string;
        const mine = sessionOf(first.session.request);
        mine.visits = 41;
        await new Promise<void>((resolve, reject) => {
          mine.save((error) => (error ? reject(error as Error) : resolve()));
        });
        const second = await way.open(server, { cookie });
        const theirs = sessionOf(second.session.request);
        assert.equal(theirs.visits, 41);
        theirs.visits = 42;
        await new Promise<void>((resolve) => {
          theirs.save(() => resolve());
        });
        await new Promise<void>((resolve, reject) => {
          mine.reload((error) => (error ? reject(error as Error) : resolve()));
        });
        assert.equal(sessionOf(first.session.request).visits, 42);
      });

      host.it("sets a secure cookie over TLS only", async () => {
        await using server = await host.start();
        install(server.engine, session({ ...secret, saveUninitialized: true, cookie: { secure: true } }));
        const { headers } = await way.open(server);
        assert.equal(headers["set-cookie"], undefined);
      });
    });
  }

  host.it("keeps one session through all requests of a client, and its upgrade", async () => {
    await using server = await host.start();
    const store = new session.MemoryStore();
    install(server.engine, session({ ...secret, saveUninitialized: true, store }));
    const ids: string[] = [];
    use(server.engine, (req, _res, next) => {
      ids.push(sessionOf(req).id);
      next();
    });
    const open = await server.client.get(server.path("transport=polling"));
    const { id, send } = await server.nextSession().then((connection) => ({
      id: connection.id,
      send: (data: string) => connection.send(data),
    }));
    const headers = { cookie: cookieOf(open.headers, NAME) as string };
    const path = server.path(`transport=polling&sid=${id}`);
    const post = await server.client.post(path, "4x", { headers });
    send("y".repeat(2000));
    const poll = await server.client.get(path, { headers });
    const socket = await server.client.websocket(path.replace("=polling", "=websocket"), { headers });
    assert.equal(`${post.status} ${post.body}`, "200 ok");
    assert.equal(`${poll.status} ${poll.body}`, `200 4${"y".repeat(2000)}`);
    assert.equal(post.headers["set-cookie"], undefined);
    assert.equal(socket.headers["set-cookie"], undefined);
    assert.equal(new Set(ids).size, 1);
    assert.equal(ids.length, 4);
    assert.equal(await countStored(store), 1);
  });

  host.it("sets a rolling cookie with each response, and with the 101 of an upgrade", async () => {
    await using server = await host.start();
    install(server.engine, session({ ...secret, saveUninitialized: true, rolling: true }));
    const peer = await PollingPeer.open(server);
    await peer.post("4x").then(({ headers }) => assert.ok(cookieOf(headers, NAME)));
    const socket = await server.client.websocket(peer.websocketPath);
    assert.ok(cookieOf(socket.headers, NAME));
  });

  host.it("refuses a request when the store fails, and serves the next one", async () => {
    await using server = await host.start();
    const store = new session.MemoryStore();
    install(server.engine, session({ ...secret, saveUninitialized: true, store }));
    const first = await ways[0]?.open(server);
    const cookie = cookieOf(first?.headers ?? {}, NAME) as string;
    store.get = (_sid, callback) => setImmediate(callback, new Error("the store is down"));
    const response = await server.client.get(server.path("transport=polling"), { headers: { cookie } });
    assert.equal(`${response.status} ${response.body}`, '400 {"code":3,"message":"Bad request"}');
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
    assert.equal(server.engine.clientsCount, 1);
    await ways[0]?.open(server);
  });

  host.it("keeps its cookie next to the engine's", async () => {
    await using server = await host.start({ cookie: { name: "io" } });
    install(server.engine, session({ ...secret, saveUninitialized: true }));
    const { headers } = await server.client.get(server.path("transport=polling"));
    assert.ok(cookieOf(headers, NAME));
    assert.ok(cookieOf(headers, "io"));
  });
});
