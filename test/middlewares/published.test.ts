import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { PassThrough } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import compression from "compression";
import cookieParser from "cookie-parser";
import cors from "cors";
import express from "express";
import session from "express-session";
import helmet from "helmet";
import { pinoHttp } from "pino-http";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { cookieOf, install, use, ways } from "../support/engine/middlewares.ts";
import { PollingPeer, packetsOf, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const ORIGIN = "https://app.example";

interface Line {
  level: number;
  msg: string;
  req: { method: string; url: string; remoteAddress: string; headers: Record<string, string> };
  res: { statusCode: number | null; headers: Record<string, unknown> };
  err?: { message: string };
}

/** Installs pino-http. Returns the lines that it writes. */
function logged(server: StartedEngine): Line[] {
  const stream = new PassThrough();
  const lines: Line[] = [];
  stream.on("data", (line: Buffer) => lines.push(JSON.parse(line.toString()) as Line));
  install(server.engine, pinoHttp(stream));
  return lines;
}

onEveryHost("middlewares: published packages", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("helmet sets its headers", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res, next) => {
          res.setHeader("X-Powered-By", "something");
          next();
        });
        install(server.engine, helmet());
        const { headers } = await way.open(server);
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.equal(headers["x-frame-options"], "SAMEORIGIN");
        assert.match(String(headers["content-security-policy"]), /^default-src 'self';/);
        assert.match(String(headers["strict-transport-security"]), /^max-age=\d+; includeSubDomains$/);
        assert.equal(headers["x-powered-by"], undefined);
      });

      host.it("cors sets its headers", async () => {
        await using server = await host.start();
        install(server.engine, cors({ origin: ORIGIN, credentials: true }));
        const { headers } = await way.open(server, { origin: ORIGIN });
        assert.equal(headers["access-control-allow-origin"], ORIGIN);
        assert.equal(headers["access-control-allow-credentials"], "true");
        assert.equal(headers["vary"], "Origin");
      });

      host.it("cookie-parser reads cookies, plain, signed and JSON", async () => {
        await using server = await host.start();
        install(server.engine, cookieParser("secret"));
        const signature = createHmac("sha256", "secret").update("me").digest("base64").replace(/=+$/, "");
        const cookie = `a=1; who=${encodeURIComponent(`s:me.${signature}`)}; o=${encodeURIComponent('j:{"x":1}')}`;
        const { session: connection } = await way.open(server, { cookie });
        const request = connection.request as unknown as Record<"cookies" | "signedCookies", object>;
        assert.deepEqual({ ...request.cookies }, { a: "1", o: { x: 1 } });
        assert.deepEqual({ ...request.signedCookies }, { who: "me" });
      });
      host.it("pino-http logs the request when it has been answered", async () => {
        await using server = await host.start();
        const lines = logged(server);
        const { session: connection } = await way.open(server, { "x-a": "1" });
        await until(() => lines.length > 0, "a line in the log");
        connection.close(true);
        await server.closed(connection);
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(lines.length, 1);
        const [line] = lines as [Line];
        assert.equal(line.msg, "request completed");
        assert.equal(line.level, 30);
        assert.equal(line.req.method, "GET");
        assert.equal(line.req.url, `/engine.io/?EIO=4&transport=${way.name}`);
        assert.equal(line.req.headers["x-a"], "1");
        assert.match(line.req.remoteAddress, /127\.0\.0\.1$/);
        assert.equal(line.res.statusCode, way.name === "polling" ? 200 : 101);
      });
      host.it("pino-http logs the status of a refusal", async () => {
        await using server = await host.start();
        const lines = logged(server);
        use(server.engine, (_req, _res, next) => next(new Error("no")));
        await way.refused(server);
        await until(() => lines.length > 0, "a line in the log");
        assert.equal(lines[0]?.res.statusCode, 400);
      });

      host.it("pino-http gives requests an id and a logger", async () => {
        await using server = await host.start();
        logged(server);
        const { session: connection } = await way.open(server);
        const request = connection.request as unknown as { id: number; log: { info: unknown } };
        assert.equal(typeof request.id, "number");
        assert.equal(typeof request.log.info, "function");
      });

      host.it("compression, helmet, cors, pino-http, cookie-parser and sessions work together", async () => {
        await using server = await host.start({ httpCompression: false });
        logged(server);
        const secret = "keyboard cat";
        for (const middleware of [
          compression(),
          helmet(),
          cors({ origin: ORIGIN }),
          cookieParser(secret),
          session({ secret, resave: false, saveUninitialized: true }),
        ]) {
          install(server.engine, middleware);
        }
        const first = await way.open(server, { origin: ORIGIN });
        assert.equal(first.headers["access-control-allow-origin"], ORIGIN);
        assert.equal(first.headers["x-frame-options"], "SAMEORIGIN");
        const cookie = cookieOf(first.headers, "connect.sid") as string;
        const { session: connection } = await way.open(server, { cookie });
        assert.ok((connection.request as { session?: { id: string } }).session?.id);
        if (way.name === "websocket") return;
        connection.send("x".repeat(5000));
        const { headers, raw } = await server.client.get(
          server.path(`transport=polling&sid=${connection.id}`),
          { headers: { cookie, "accept-encoding": "gzip" } },
        );
        assert.equal(headers["content-encoding"], "gzip");
        assert.equal(gunzipSync(raw).toString(), `4${"x".repeat(5000)}`);
      });
      host.it("an Express application passes requests on", async () => {
        await using server = await host.start();
        const app = express();
        app.use(session({ secret: "x", resave: false, saveUninitialized: true }));
        app.use((req, res, next) => {
          res.set("X-A", req.get("x-b"));
          Object.assign(req, { agent: req.get("user-agent"), client: req.ip });
          next();
        });
        install(server.engine, app);
        const { session: connection, headers } = await way.open(server, {
          "x-b": "1",
          "user-agent": "Test",
        });
        assert.equal(headers["x-a"], "1");
        assert.ok(cookieOf(headers, "connect.sid"));
        const { agent, client } = connection.request as unknown as Record<string, string>;
        assert.equal(agent, "Test");
        assert.match(client ?? "", /127\.0\.0\.1$/);
      });

      host.it("an Express application answers requests", async () => {
        await using server = await host.start();
        const app = express();
        app.use((_req, res) => {
          res.status(401).cookie("a", "1").json({ why: "no ticket" });
        });
        install(server.engine, app);
        const { status, body, headers } = await way.refused(server);
        assert.equal(`${status} ${body}`, '401 {"why":"no ticket"}');
        assert.match(String(headers["content-type"]), /^application\/json/);
        assert.equal(cookieOf(headers, "a"), "a=1");
      });

      host.it("an Express router reads paths and queries", async () => {
        await using server = await host.start();
        const router = express.Router();
        router.get("/engine.io", (req, res, next) => {
          Object.assign(req, { routed: req.originalUrl });
          res.setHeader("X-Routed", "1");
          next();
        });
        router.use("/elsewhere", (_req, res) => {
          res.end("not here");
        });
        install(server.engine, router);
        const { session: connection, headers } = await way.open(server);
        const { routed } = connection.request as unknown as { routed: string };
        assert.equal(routed, `/engine.io/?EIO=4&transport=${way.name}`);
        assert.equal(headers["x-routed"], "1");
      });
    });
  }

  host.it("helmet sets its headers on errors, polls and POSTs, too", async () => {
    await using server = await host.start();
    install(server.engine, helmet());
    const peer = await PollingPeer.open(server);
    peer.session.send("x");
    const post = await peer.post("4x");
    const poll = await peer.get();
    const unknown = await server.client.get(server.path("transport=polling&sid=x"));
    for (const { headers } of [post, poll, unknown]) assert.equal(headers["x-frame-options"], "SAMEORIGIN");
    assert.equal(unknown.status, 400);
  });

  host.it("cors answers a preflight by itself", async () => {
    await using server = await host.start();
    install(server.engine, cors({ origin: ORIGIN }));
    const { status, body } = await server.client.options(server.path("transport=polling"), {
      headers: { origin: ORIGIN, "access-control-request-method": "POST" },
    });
    assert.equal(`${status} ${body}`, "204 ");
    assert.deepEqual(server.errors, []);
  });

  host.it("pino-http logs a poll as aborted when its client has left", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const lines = logged(server);
    const aborter = new AbortController();
    const { answer } = await peer.park({ signal: aborter.signal });
    aborter.abort();
    await assert.rejects(answer);
    await until(() => lines.length > 0, "a line in the log");
    assert.equal(lines[0]?.msg, "request aborted");
  });

  for (const [encoding, decompress] of [
    ["gzip", gunzipSync],
    ["br", brotliDecompressSync],
  ] as const) {
    host.it(`compression compresses a long answer to a poll with ${encoding}`, async () => {
      await using server = await host.start({ httpCompression: false });
      install(server.engine, compression());
      const peer = await PollingPeer.open(server);
      peer.session.send("x".repeat(5000));
      const { headers, raw } = await peer.get({ headers: { "accept-encoding": encoding } });
      assert.equal(headers["content-encoding"], encoding);
      assert.equal(headers["vary"], "Accept-Encoding");
      assert.ok(raw.length < 1000);
      assert.deepEqual(packetsOf(decompress(raw).toString()), [`4${"x".repeat(5000)}`]);
      await peer.send("4after");
    });
  }

  host.it("compression leaves short answers alone, and those that the engine has compressed", async () => {
    await using server = await host.start();
    install(server.engine, compression());
    const peer = await PollingPeer.open(server);
    const headers = { "accept-encoding": "gzip" };
    peer.session.send("short");
    const short = await peer.get({ headers });
    assert.equal(short.headers["content-encoding"], undefined);
    assert.equal(short.body, "4short");
    peer.session.send("x".repeat(5000));
    const long = await peer.get({ headers });
    assert.equal(long.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(long.raw).toString(), `4${"x".repeat(5000)}`);
  });

  host.it("an Express router that throws refuses the request", async () => {
    await using server = await host.start();
    const router = express.Router();
    router.use(() => {
      throw new Error("no");
    });
    install(server.engine, router);
    const { status } = await server.client.get(server.path("transport=polling"));
    assert.equal(status, 400);
    assert.deepEqual((await server.nextError()).context, { name: "MIDDLEWARE_FAILURE" });
  });
});
