import assert from "node:assert/strict";
import { closing } from "../support/waiting/closing.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { assertServes, record, use, ways } from "../support/engine/middlewares.ts";
import type { Handler, Way } from "../support/engine/middlewares.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { uncaught } from "../support/process/uncaught.ts";

/** Applies the middleware to requests with the header `x-mark` only. */
function marked(handler: Handler): Handler {
  return (req, res, next) => {
    if (req.headers["x-mark"] === undefined) return next();
    return handler(req, res, next);
  };
}

const mark = { headers: { "x-mark": "1" } };
const failure = new Error("no");

const failing: [what: string, handler: Handler][] = [
  ["passes an error to next", (_req, _res, next) => next(failure)],
  ["passes an error to next, later", (_req, _res, next) => setImmediate(next, failure)],
  ["passes a string to next", (_req, _res, next) => next("no")],
  [
    "throws",
    () => {
      throw failure;
    },
  ],
  ["rejects", async () => Promise.reject(failure)],
  [
    "rejects, later",
    async () => {
      await new Promise(setImmediate);
      throw failure;
    },
  ],
  [
    "returns a thenable that rejects",
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    () => ({ then: (_resolve: unknown, reject: (error: unknown) => void) => reject(failure) }),
  ],
  [
    "throws undefined",
    () => {
      throw undefined;
    },
  ],
  ["rejects with undefined", async () => Promise.reject(undefined)],
];

async function refused(server: StartedEngine, way: Way): Promise<void> {
  const response = await way.refused(server);
  const expected = way.name === "polling" ? '400 {"code":3,"message":"Bad request"}' : "400 Bad request";
  assert.equal(`${response.status} ${response.body}`, expected);
  const { code, message, context } = await server.nextError();
  assert.deepEqual(
    { code, message, context },
    { code: 3, message: "Bad request", context: { name: "MIDDLEWARE_FAILURE" } },
  );
  assert.deepEqual(server.errors, []);
  assert.equal(server.engine.clientsCount, 0);
}

function onEveryWay(host: EngineHost, way: Way): void {
  host.it("runs all middlewares in order, before the engine looks at the request", async () => {
    await using server = await host.start();
    const seen: string[] = [];
    use(server.engine, (_req, _res, next) => {
      seen.push("first");
      next();
    });
    use(server.engine, async (_req, _res, next) => {
      seen.push("second");
      await new Promise(setImmediate);
      seen.push("second, later");
      next();
    });
    use(server.engine, (_req, _res, next) => {
      seen.push(`third, with ${server.engine.clientsCount} clients`);
      next();
    });
    await way.open(server);
    assert.deepEqual(seen, ["first", "second", "second, later", "third, with 0 clients"]);
  });

  for (const [what, handler] of failing) {
    host.it(`refuses the request when a middleware ${what}`, async () => {
      await using server = await host.start();
      let isLater = false;
      use(server.engine, handler);
      use(server.engine, () => {
        isLater = true;
      });
      await refused(server, way);
      assert.equal(isLater, false);
    });
  }

  host.it("leaves other sessions alone when a middleware fails", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    use(
      server.engine,
      marked(() => {
        throw failure;
      }),
    );
    const path = server.path(`transport=${way.name}`);
    if (way.name === "polling") await server.client.get(path, mark);
    else await server.client.refused(path, mark);
    await server.nextError();
    peer.session.send("x");
    assert.deepEqual(await peer.pollPackets(1), ["4x"]);
    await assertServes(server);
  });

  host.it("ignores a second call of next, with an error or without", async () => {
    await using server = await host.start();
    use(server.engine, (_req, _res, next) => {
      next();
      next();
      next(failure);
      setImmediate(next);
    });
    let runs = 0;
    use(server.engine, (_req, _res, next) => {
      runs++;
      next();
    });
    const { session } = await way.open(server);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(runs, 1);
    assert.deepEqual(Object.keys(server.engine.clients), [session.id]);
    assert.deepEqual(server.errors, []);
  });

  host.it("ignores what a middleware throws or rejects with after next", async () => {
    await using server = await host.start();
    use(server.engine, (_req, _res, next) => {
      next();
      throw failure;
    });
    use(server.engine, async (_req, _res, next) => {
      next();
      return Promise.reject(failure);
    });
    await way.open(server);
    assert.deepEqual(server.errors, []);
  });

  host.it("does not count an error of a connection listener as an error of the middleware", async () => {
    await using server = await host.start();
    use(server.engine, async (_req, _res, next) => {
      await new Promise(setImmediate);
      next();
    });
    server.engine.on("connection", () => {
      throw failure;
    });
    const thrown = uncaught(1);
    void way.open(server).catch(() => {});
    assert.deepEqual(await thrown, [failure]);
    assert.deepEqual(server.errors, []);
  });
  // The client in memory cannot leave a WebSocket before it is open.
  const tcp = way.name === "websocket" ? ({ needs: "tcp" } as const) : {};
  host.it("releases a client that disconnects while a middleware holds its request", { ...tcp }, async () => {
    await using server = await host.start();
    const seen: string[] = [];
    let pass: (() => void) | undefined;
    use(
      server.engine,
      marked((_req, res, next) => {
        for (const name of ["finish", "close"]) res.on(name, () => seen.push(name));
        pass = next;
      }),
    );
    const aborter = new AbortController();
    const request = { ...mark, signal: aborter.signal };
    const path = server.path(`transport=${way.name}`);
    const { client } = server;
    const answer = way.name === "polling" ? client.get(path, request) : client.websocket(path, request);
    answer.catch(() => {});
    await until(() => pass !== undefined, "the middleware to be asked");
    await assertServes(server);
    aborter.abort();
    await assert.rejects(answer);
    await until(() => seen.length > 0, "the response to close");
    pass?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(seen, ["close"]);
    assert.equal(server.engine.clientsCount, 2);
    assert.deepEqual(server.errors, []);
    await assertServes(server);
  });

  host.it("lets a middleware answer the request itself", async () => {
    await using server = await host.start();
    use(server.engine, (_req, res) => {
      res.statusCode = 401;
      res.setHeader("X-Why", "no ticket");
      res.end("a ticket, please");
    });
    const { status, headers, body } = await way.refused(server);
    assert.equal(`${status} ${body}`, "401 a ticket, please");
    assert.equal(headers["x-why"], "no ticket");
    assert.equal(server.engine.clientsCount, 0);
    assert.deepEqual(server.errors, []);
  });

  host.it("lets a middleware answer the request itself, later and in parts", async () => {
    await using server = await host.start();
    use(server.engine, async (_req, res) => {
      await new Promise(setImmediate);
      res.writeHead(503, { "Retry-After": "9" });
      res.write("come ");
      await new Promise(setImmediate);
      res.end("later");
    });
    const { status, headers, raw } = await way.refused(server);
    assert.equal(status, 503);
    assert.equal(headers["retry-after"], "9");
    assert.match(raw.toString(), /come [^]*later/);
  });
  host.it("opens no session for a request that a middleware has answered and then passes on", async () => {
    await using server = await host.start();
    use(server.engine, (_req, res, next) => {
      res.writeHead(200).end("mine");
      next();
    });
    assert.equal((await way.refused(server)).body, "mine");
    assert.equal(server.engine.clientsCount, 0);
    assert.deepEqual(server.errors, []);
  });

  host.it("reports a middleware that answers the request and then fails", async () => {
    await using server = await host.start();
    use(server.engine, (_req, res, next) => {
      res.writeHead(401).end("mine");
      next(failure);
    });
    const { status, body } = await way.refused(server);
    assert.equal(`${status} ${body}`, "401 mine");
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
  });

  host.it("ends the answer that a failing middleware has begun", async () => {
    await using server = await host.start();
    use(server.engine, (_req, res) => {
      res.writeHead(401);
      throw failure;
    });
    assert.equal((await way.refused(server)).status, 401);
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
  });

  host.it("refuses a request that is passed on after an answer was begun", async () => {
    await using server = await host.start();
    use(server.engine, (_req, res, next) => {
      res.writeHead(202);
      next();
    });
    assert.equal((await way.refused(server)).status, 202);
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
    assert.equal(server.engine.clientsCount, 0);
  });
  host.it("drops the connection when a wrapped writeHead throws", async () => {
    await using server = await host.start();
    use(
      server.engine,
      marked((_req, res, next) => {
        res.writeHead = () => {
          throw failure;
        };
        next();
      }),
    );
    const thrown = uncaught(1);
    const path = server.path(`transport=${way.name}`);
    const { client } = server;
    await assert.rejects(way.name === "polling" ? client.get(path, mark) : client.websocket(path, mark));
    assert.deepEqual(await thrown, [failure]);
    // The client has not learned of its session.
    // node:http learns of it later, after the session has been announced.
    if (way.name === "polling" && host.name === "node") await server.nextSession();
    await until(() => server.engine.clientsCount === 0, "the session to go");
    await assertServes(server);
  });
}

onEveryHost("middlewares: the chain", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => onEveryWay(host, way));
  }

  host.it("runs for polls, POSTs and requests that are refused", async () => {
    await using server = await host.start();
    const seen: string[] = [];
    use(server.engine, (req, _res, next) => {
      seen.push(`${req.method} ${req._query?.["transport"]}`);
      next();
    });
    const peer = await PollingPeer.open(server);
    await peer.send("4x");
    peer.session.send("y");
    await peer.poll();
    await server.client.request("DELETE", server.path("transport=tcp"));
    assert.deepEqual(seen, ["GET polling", "POST polling", "GET polling", "DELETE tcp"]);
  });

  host.it("refuses a POST whose middleware fails, and keeps the session", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    use(
      server.engine,
      marked((_req, _res, next) => next(failure)),
    );
    const messages = record(peer.session, "message");
    assert.equal((await peer.post("4x", mark)).status, 400);
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
    assert.equal(peer.session.readyState, "open");
    await peer.send("4x");
    assert.deepEqual(messages, ["message"]);
  });
  host.it("creates no request object without a middleware", async () => {
    await using server = await host.start({}, false);
    const { CopiedRequest } = await import("../../packages/engine/src/host/copied/request.ts");
    const messages = Object.getOwnPropertyDescriptor(
      CopiedRequest.prototype,
      "message",
    ) as PropertyDescriptor;
    let made = 0;
    Object.defineProperty(CopiedRequest.prototype, "message", {
      ...messages,
      get(this: object): unknown {
        made++;
        return messages.get?.call(this);
      },
    });
    using _restored = closing(() => Object.defineProperty(CopiedRequest.prototype, "message", messages));
    await server.client.get(server.path("transport=polling"));
    const socket = await server.client.websocket(server.path("transport=websocket"));
    await socket.next();
    await server.client.get(server.path("transport=tcp"));
    assert.equal(made, 0);
  });
});
