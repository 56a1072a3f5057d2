import assert from "node:assert/strict";
import session from "express-session";
import passport from "passport";
import type { Server, Socket } from "socket.io";
import { cookieOf, install, use } from "../support/engine/middlewares.ts";
import type { Request } from "../support/engine/middlewares.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

import { connected, pair, upgraded } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import type { WireClient } from "../support/wire/client.ts";

interface Visitor {
  id: string;
  count?: number;
  save(done: (error?: Error) => void): void;
  reload(done: (error?: Error) => void): void;
  regenerate(done: (error?: Error) => void): void;
}

type SessionRequest = Request & { session: Visitor };

const modes = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
} as const;

function requestOf(socket: Socket): SessionRequest {
  return socket.request as unknown as SessionRequest;
}

/** Connects an official client in the mode. Returns it and its socket on the server. */
async function connect(
  server: Started,
  mode: keyof typeof modes,
  headers: Record<string, string> = {},
): Promise<Pair> {
  const made = await pair(server, { transports: [...modes[mode]], extraHeaders: headers });
  if (mode === "upgrade") await upgraded(made.client);
  return made;
}

/** A running server, and a client that sends raw requests to it. */
type Started = StartedServer & { wire: WireClient };

async function start(host: ServerHost, options?: Parameters<ServerHost["start"]>[0]): Promise<Started> {
  const running = await host.start(options);
  const wire = new NetworkClient(running.port);
  running.closeWith(() => wire.close());
  return Object.assign(running, { wire });
}

function path(query: string): string {
  return `/socket.io/?EIO=4&${query}`;
}

function installSession(io: Server, saveUninitialized: boolean, store = new session.MemoryStore()): void {
  install(
    io.engine,
    session({ secret: "keyboard cat", resave: false, saveUninitialized, store, cookie: { maxAge: 60_000 } }),
  );
}

/** As the documentation shows it: reload, change, save. */
function countVisits(io: Server): void {
  io.on("connection", (socket) => {
    const request = requestOf(socket);
    socket.on("visit", (done: (count: number | string) => void) => {
      request.session.reload((error) => {
        if (error) return done(error.message);
        request.session.count = (request.session.count ?? 0) + 1;
        request.session.save(() => done(request.session.count as number));
      });
    });
  });
}

/** The cookie of a returning visitor. */
async function cookieOfVisitor(server: Started): Promise<string> {
  const { headers } = await server.wire.get(path("transport=polling"));
  const cookie = cookieOf(headers, "connect.sid");
  assert.ok(cookie, "a cookie");
  return cookie;
}

onEveryHost("middlewares: with Socket.IO", serverHostsAndApp, (host) => {
  for (const mode of Object.keys(modes) as (keyof typeof modes)[]) {
    describe(`by ${mode}`, () => {
      it("express-session: a listener reloads, changes and saves the session", async () => {
        await using server = await start(host);
        installSession(server.io, true);
        countVisits(server.io);
        const cookie = await cookieOfVisitor(server);
        const first = await connect(server, mode, { cookie });
        const second = await connect(server, mode, { cookie });
        assert.equal(await first.client.timeout(3000).emitWithAck("visit"), 1);
        assert.equal(await second.client.timeout(3000).emitWithAck("visit"), 2);
        assert.equal(await first.client.timeout(3000).emitWithAck("visit"), 3);
        assert.equal(requestOf(first.socket).session.id, requestOf(second.socket).session.id);
      });

      for (const saveUninitialized of [true, false]) {
        it(`express-session: a new visitor, saveUninitialized: ${saveUninitialized}`, async () => {
          await using server = await start(host);
          installSession(server.io, saveUninitialized);
          const { socket } = await connect(server, mode);
          const { session: visitor } = requestOf(socket);
          assert.equal(typeof visitor.id, "string");
          visitor.count = 5;
          await new Promise<void>((resolve) => {
            visitor.save(() => resolve());
          });
          await new Promise<void>((resolve, reject) => {
            visitor.reload((error) => (error ? reject(error) : resolve()));
          });
          assert.equal(requestOf(socket).session.count, 5);
        });
      }

      it("express-session: a namespace's middleware regenerates the session", async () => {
        await using server = await start(host);
        installSession(server.io, true);
        const ids: string[] = [];
        server.io.use((socket, next) => {
          const request = requestOf(socket);
          ids.push(request.session.id);
          request.session.regenerate((error) => {
            ids.push(request.session.id);
            next(error);
          });
        });
        const { socket } = await connect(server, mode);
        assert.equal(ids.length, 2);
        assert.notEqual(ids[0], ids[1]);
        assert.equal(requestOf(socket).session.id, ids[1]);
      });

      it("express-session: as a middleware of the namespace, as older documentation shows it", async () => {
        await using server = await start(host);
        const store = new session.MemoryStore();
        const visitor = session({ secret: "keyboard cat", resave: false, saveUninitialized: true, store });
        server.io.use((socket, next) => {
          visitor(socket.request as never, {} as never, next as never);
        });
        const { socket } = await connect(server, mode);
        assert.equal(typeof requestOf(socket).session.id, "string");
        await new Promise<void>((resolve) => {
          requestOf(socket).session.save(() => resolve());
        });
        assert.ok(
          await new Promise((resolve) => {
            store.get(requestOf(socket).session.id, (_error, found) => resolve(found));
          }),
        );
      });

      it("passport: the user of the session is socket.request.user", async () => {
        await using server = await start(host);
        const { io } = server;
        const authenticator = new passport.Passport();
        authenticator.serializeUser((user, done) => done(null, (user as { id: number }).id));
        authenticator.deserializeUser((id: number, done) => done(null, { id, name: "ann" }));
        installSession(io, false);
        install(io.engine, authenticator.initialize());
        install(io.engine, authenticator.session());
        use(io.engine, (req, _res, next) => {
          if (req._query?.["login"] === undefined) return next();
          const visitor = req as unknown as { logIn(user: object, done: (error?: unknown) => void): void };
          return visitor.logIn({ id: 7 }, next);
        });
        const { headers } = await server.wire.get(path("transport=polling&login=1"));
        const cookie = cookieOf(headers, "connect.sid") as string;
        const { socket } = await connect(server, mode, { cookie });
        assert.deepEqual((requestOf(socket) as { user?: unknown }).user, { id: 7, name: "ann" });
        const stranger = await connect(server, mode);
        assert.equal((requestOf(stranger.socket) as { user?: unknown }).user, undefined);
      });

      it("a failing middleware causes a connect_error, and others connect", async () => {
        await using server = await start(host);
        const errors: unknown[] = [];
        server.io.engine.on("connection_error", ({ code, context }) => errors.push({ code, context }));
        use(server.io.engine, async (req, _res, next) => {
          if (req.headers["x-bad"] !== undefined) throw new Error("no");
          next();
        });
        const refused = server.client({ transports: [...modes[mode]], extraHeaders: { "x-bad": "1" } });
        await assert.rejects(connected(refused), /xhr poll error|websocket error/);
        assert.deepEqual(errors, [{ code: 3, context: { name: "MIDDLEWARE_FAILURE" } }]);
        await connect(server, mode);
      });
    });
  }

  it("express-session: the cookie is in the answer to a poll, and in the 101", async () => {
    await using server = await start(host);
    installSession(server.io, true);
    const { headers } = await server.wire.get(path("transport=polling"));
    const socket = await server.wire.websocket(path("transport=websocket"));
    for (const cookies of [headers["set-cookie"], socket.headers["set-cookie"]]) {
      assert.equal(cookies?.length, 1);
      assert.match(cookies?.[0] ?? "", /^connect\.sid=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly$/);
    }
  });

  it("express-session: without saveUninitialized, no cookie until the session is changed", async () => {
    await using server = await start(host);
    installSession(server.io, false);
    const { headers } = await server.wire.get(path("transport=polling"));
    const socket = await server.wire.websocket(path("transport=websocket"));
    assert.equal(headers["set-cookie"], undefined);
    assert.equal(socket.headers["set-cookie"], undefined);
  });

  it("the option cookie: the session id, once, with long-polling", async () => {
    await using server = await start(host, {
      cookie: { name: "io", httpOnly: true, secure: true, maxAge: 86400 },
    });
    const { headers } = await server.wire.get(path("transport=polling"));
    assert.match(
      headers["set-cookie"]?.[0] ?? "",
      /^io=[\w-]{20}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const sid = /io=([\w-]{20})/.exec(headers["set-cookie"]?.[0] ?? "")?.[1];
    const poll = await server.wire.post(path(`transport=polling&sid=${sid}`), "40");
    assert.equal(`${poll.status} ${poll.body}`, "200 ok");
    assert.equal(poll.headers["set-cookie"], undefined);
  });

  it("the option cors: headers on answers, errors and preflights", async () => {
    const origin = "https://app.example";
    await using server = await start(host, { cors: { origin, credentials: true } });
    const headers = { origin };
    const good = await server.wire.get(path("transport=polling"), { headers });
    const bad = await server.wire.get(path("transport=none"), { headers });
    const preflight = await server.wire.options(path("transport=polling"), { headers });
    assert.deepEqual([good.status, bad.status, preflight.status], [200, 400, 204]);
    for (const response of [good, bad, preflight]) {
      assert.equal(response.headers["access-control-allow-origin"], origin);
      assert.equal(response.headers["access-control-allow-credentials"], "true");
    }
  });
});
