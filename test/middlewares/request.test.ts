import assert from "node:assert/strict";
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { record, use, ways } from "../support/engine/middlewares.ts";
import type { Handler, Request } from "../support/engine/middlewares.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";
import { exchange } from "../support/wire/network-client.ts";

const headers = { "x-a": "1", cookie: "a=1; b=2", "user-agent": "Test", "accept-encoding": "br" };

onEveryHost("middlewares: the request", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("has a method, URL, headers, version and query", async () => {
        await using server = await host.start();
        let seen: Record<string, unknown> = {};
        use(server.engine, (req, _res, next) => {
          const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, _query } = req;
          const { "x-a": a, cookie, "user-agent": agent, "accept-encoding": encoding } = req.headers;
          seen = { method, url, httpVersion, httpVersionMajor, httpVersionMinor, query: { ..._query } };
          assert.deepEqual({ "x-a": a, cookie, "user-agent": agent, "accept-encoding": encoding }, headers);
          assert.equal(req.rawHeaders[req.rawHeaders.indexOf("cookie") + 1], "a=1; b=2");
          next();
        });
        const { session } = await way.open(server, headers);
        assert.deepEqual(seen, {
          method: "GET",
          url: `/engine.io/?EIO=4&transport=${way.name}`,
          httpVersion: "1.1",
          httpVersionMajor: 1,
          httpVersionMinor: 1,
          query: { EIO: "4", transport: way.name },
        });
        assert.equal(session.request.method, "GET");
      });

      host.it("has a socket with the address of the client", async () => {
        await using server = await host.start();
        let sockets: Request["socket"][] = [];
        use(server.engine, (req, _res, next) => {
          // oxlint-disable-next-line no-deprecated -- express-session and others read it
          sockets = [req.socket, req.connection];
          assert.equal(req.socket.destroyed, false);
          next();
        });
        const { session } = await way.open(server);
        const [socket, connection] = sockets;
        assert.equal(socket, connection);
        assert.match(socket?.remoteAddress ?? "", /^(::ffff:)?127\.0\.0\.1$/);
        assert.equal(session.remoteAddress, socket?.remoteAddress);
        assert.ok(!(socket as { encrypted?: boolean } | undefined)?.encrypted);
      });

      host.it("has a socket with the members of a connection", async () => {
        await using server = await host.start();
        const { session } = await way.open(server);
        const { socket, client } = session.request as unknown as Request & { client: TLSSocket };
        assert.equal(client, socket);
        assert.equal(typeof socket.address(), "object");
        assert.ok("remotePort" in socket && "localPort" in socket && "localAddress" in socket);
        assert.ok(!client.authorized);
        if (host.name !== "node") assert.deepEqual(client.getPeerCertificate(), {});
      });

      host.it("is the session's request, with the properties that middlewares have added", async () => {
        await using server = await host.start();
        let first: Request | undefined;
        use(server.engine, (req, _res, next) => {
          first = req;
          Object.assign(req, { user: "ann", headers: { ...req.headers, "x-added": "1" } });
          next();
        });
        const { session } = await way.open(server);
        assert.equal(session.request, first);
        assert.equal((session.request as { user?: string }).user, "ann");
        assert.equal(session.request.headers["x-added"], "1");
      });
      host.it("refers to the response, and the response to it, until the request is admitted", async () => {
        await using server = await host.start();
        let seen: unknown[] = [];
        use(server.engine, (req, res, next) => {
          seen = [req.res === res, res.req === req];
          next();
        });
        const { session } = await way.open(server);
        assert.deepEqual(seen, [true, true]);
        assert.ok(!(session.request as Request).res);
      });

      host.it("has the methods that middlewares for Express call", async () => {
        await using server = await host.start();
        use(server.engine, (req, _res, next) => {
          assert.equal(req.pause(), req);
          assert.equal(req.resume(), req);
          assert.equal(req.unpipe(), req);
          assert.equal(req.setTimeout(1000), req);
          assert.equal(req.socket.setTimeout(0), req.socket);
          assert.equal(req.aborted, false);
          assert.equal(req.readableAborted, false);
          assert.deepEqual(req.trailers, {});
          next();
        });
        await way.open(server);
      });
    });
  }

  host.it("closes once, after the response to a poll was sent", async () => {
    await using server = await host.start();
    let seen: string[] = [];
    let closed: Promise<unknown> | undefined;
    use(server.engine, (req, res, next) => {
      closed = once(req, "close");
      seen = record(req, "aborted", "close");
      res.on("finish", () => seen.push("finish"));
      next();
    });
    await server.client.get(server.path("transport=polling"));
    await closed;
    assert.deepEqual(seen, ["finish", "close"]);
  });

  host.it("emits aborted and close when the client leaves during a poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    let seen: string[] = [];
    let request: Request | undefined;
    use(server.engine, (req, _res, next) => {
      request = req;
      req.on("error", () => {});
      seen = record(req, "aborted", "close");
      next();
    });
    const aborter = new AbortController();
    const { answer } = await peer.park({ signal: aborter.signal });
    assert.deepEqual(seen, []);
    aborter.abort();
    await assert.rejects(answer);
    await until(() => seen.length === 2, "the request to close");
    assert.deepEqual(seen, ["aborted", "close"]);
    assert.equal(request?.aborted, true);
    assert.equal(request.destroyed, true);
  });

  const destroying: [string, (...args: Parameters<Handler>) => void][] = [
    ["the request", (req) => req.destroy()],
    ["its socket", (req) => req.socket.destroy()],
    ["the response", (_req, res) => res.destroy()],
  ];
  for (const [what, destroy] of destroying) {
    for (const way of ways) {
      host.it(`drops the connection when a middleware destroys ${what}, by ${way.name}`, async () => {
        await using server = await host.start();
        use(server.engine, (req, res, next) => {
          req.on("error", () => {});
          destroy(req, res, next);
        });
        await assert.rejects(way.open(server));
        assert.equal(server.engine.clientsCount, 0);
      });
    }
  }

  host.it("joins repeated headers as Node does", { needs: "tcp" }, async () => {
    await using server = await host.start();
    let seen: Request["headers"] = {};
    use(server.engine, (req, res) => {
      seen = req.headers;
      res.end();
    });
    const path = server.path("transport=polling");
    const twice = ["X-A: 1", "X-A: 2", "Cookie: a=1", "Cookie: b=2", "User-Agent: x", "User-Agent: y"];
    const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", ...twice, "Connection: close", "", ""];
    await exchange(server.port, lines.join("\r\n"));
    assert.equal(seen["x-a"], "1, 2");
    assert.equal(seen.cookie, "a=1; b=2");
    assert.equal(seen["user-agent"], "x");
  });
});
