import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { assertServes, record, use, ways } from "../support/engine/middlewares.ts";
import type { Way } from "../support/engine/middlewares.ts";
import { exchange } from "../support/wire/network-client.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { uncaught } from "../support/process/uncaught.ts";
import type { WireResponse } from "../support/wire/client.ts";

/** The answer of a middleware that answers the request itself. */
function answered(
  server: StartedEngine,
  way: Way,
  answer: (res: ServerResponse) => void,
): Promise<WireResponse> {
  use(server.engine, (_req, res) => answer(res));
  return way.refused(server);
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
}

onEveryHost("middlewares: the response", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("accepts headers by names in any case", async () => {
        await using server = await host.start();
        const { headers } = await answered(server, way, (res) => {
          assert.equal(res.setHeader("X-A", 1), res);
          res.setHeader("x-a", "2");
          res.setHeader("X-B", ["3", "4"]);
          res.setHeader("X-C", "5");
          res.appendHeader("x-c", ["6"]);
          res.appendHeader("X-D", "7");
          res.setHeader("X-E", "8");
          res.removeHeader("x-E");
          assert.equal(res.getHeader("X-A"), "2");
          assert.deepEqual(res.getHeader("x-b"), ["3", "4"]);
          assert.equal(res.getHeader("x-none"), undefined);
          assert.equal(res.hasHeader("X-d"), true);
          assert.equal(res.hasHeader("x-e"), false);
          assert.deepEqual(res.getHeaderNames(), ["x-a", "x-b", "x-c", "x-d"]);
          assert.deepEqual(
            { ...res.getHeaders() },
            { "x-a": "2", "x-b": ["3", "4"], "x-c": ["5", "6"], "x-d": "7" },
          );
          res.end();
        });
        assert.equal(headers["x-a"], "2");
        assert.deepEqual([headers["x-b"]].flat().join(", "), "3, 4");
        assert.deepEqual([headers["x-c"]].flat().join(", "), "5, 6");
        assert.equal(headers["x-d"], "7");
        assert.equal(headers["x-e"], undefined);
      });

      host.it("refuses headers that would break the response", async () => {
        await using server = await host.start();
        const { status, headers } = await answered(server, way, (res) => {
          assert.equal(
            codeOf(() => res.setHeader("x-a", "1\r\nx-evil: 1")),
            "ERR_INVALID_CHAR",
          );
          assert.equal(
            codeOf(() => res.setHeader("x-a", ["1", "2\n"])),
            "ERR_INVALID_CHAR",
          );
          assert.equal(
            codeOf(() => res.setHeader("x a", "1")),
            "ERR_INVALID_HTTP_TOKEN",
          );
          const nothing = undefined as unknown as string;
          assert.equal(
            codeOf(() => res.setHeader("x-a", nothing)),
            "ERR_HTTP_INVALID_HEADER_VALUE",
          );
          assert.equal(
            codeOf(() => res.writeHead(42)),
            "ERR_HTTP_INVALID_STATUS_CODE",
          );
          assert.equal(res.headersSent, false);
          res.writeHead(204).end();
        });
        assert.equal(status, 204);
        assert.equal(headers["x-evil"], undefined);
      });

      host.it("accepts no headers once its head is written", async () => {
        await using server = await host.start();
        await answered(server, way, (res) => {
          res.flushHeaders();
          assert.equal(res.headersSent, true);
          assert.equal(
            codeOf(() => res.setHeader("x-a", "1")),
            "ERR_HTTP_HEADERS_SENT",
          );
          assert.equal(
            codeOf(() => res.appendHeader("x-a", "1")),
            "ERR_HTTP_HEADERS_SENT",
          );
          assert.equal(
            codeOf(() => res.removeHeader("x-a")),
            "ERR_HTTP_HEADERS_SENT",
          );
          assert.equal(
            codeOf(() => res.writeHead(200)),
            "ERR_HTTP_HEADERS_SENT",
          );
          res.end();
          assert.equal(
            codeOf(() => res.setHeader("x-a", "1")),
            "ERR_HTTP_HEADERS_SENT",
          );
        });
      });

      for (const [what, headers] of [
        ["an object", { "X-A": "1", "Set-Cookie": ["a=1", "b=2"] }],
        ["names and values in turn", ["X-A", "1", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]],
      ] as const) {
        host.it(`accepts the headers of writeHead as ${what}`, async () => {
          await using server = await host.start();
          const response = await answered(server, way, (res) => {
            const before = res.writeHead(418, "Teapot", headers as unknown as string[]);
            assert.equal(before, res);
            assert.equal(res.statusCode, 418);
            assert.equal(res.statusMessage, "Teapot");
            res.end("short and stout");
          });
          assert.equal(`${response.status} ${response.body}`, "418 short and stout");
          assert.equal(response.headers["x-a"], "1");
          assert.deepEqual(response.headers["set-cookie"], ["a=1", "b=2"]);
        });
      }

      host.it("writes in parts and encodings, and runs callbacks", async () => {
        await using server = await host.start();
        const called: string[] = [];
        const { raw } = await answered(server, way, (res) => {
          res.write("é", "latin1", () => called.push("write"));
          res.write(new Uint8Array([0, 255]), () => called.push("bytes"));
          assert.equal(
            res.end("6869", "hex", () => called.push("end")),
            res,
          );
          res.end(() => called.push("again"));
        });
        assert.ok(raw.includes(Buffer.from([0xe9])));
        assert.ok(raw.includes(Buffer.from([0, 255])));
        assert.ok(raw.includes("hi"));
        await until(() => called.length === 4, "four callbacks");
        assert.deepEqual(called.sort(), ["again", "bytes", "end", "write"]);
      });

      host.it("shows its state", async () => {
        await using server = await host.start();
        let response: ServerResponse | undefined;
        const states: unknown[] = [];
        await answered(server, way, (res) => {
          const note = (): unknown =>
            states.push([res.headersSent, res.writableEnded, res.writableFinished, res.finished]);
          response = res;
          note();
          res.writeHead(200);
          note();
          res.on("finish", note);
          res.end("x");
          assert.equal(res.writableEnded, true);
        });
        await until(() => states.length === 3, "the response to finish");
        assert.deepEqual(states, [
          [false, false, false, false],
          [true, false, false, false],
          [true, true, true, true],
        ]);
        assert.match((response as unknown as { _header: string })._header, /^HTTP\/1\.1 200 OK\r\n/);
      });

      host.it("finishes and closes once when a middleware has answered", async () => {
        await using server = await host.start();
        let seen: string[] = [];
        let closed: Promise<unknown> | undefined;
        await answered(server, way, (res) => {
          seen = record(res, "finish", "close");
          closed = once(res, "close");
          res.end("x");
          assert.deepEqual(seen, []);
        });
        await closed;
        assert.deepEqual(seen, ["finish", "close"]);
      });
      host.it("finishes and closes once when the engine has answered", async () => {
        await using server = await host.start();
        let seen: string[] = [];
        let status: unknown;
        let closed: Promise<unknown> | undefined;
        use(server.engine, (_req, res, next) => {
          seen = record(res, "finish", "close");
          closed = once(res, "close");
          res.on("close", () => {
            status = [res.statusCode, res.headersSent, res.writableEnded];
          });
          next();
        });
        const { session } = await way.open(server);
        await closed;
        session.close(true);
        await server.closed(session);
        assert.deepEqual(seen, ["finish", "close"]);
        assert.deepEqual(status, [way.name === "polling" ? 200 : 101, true, true]);
      });

      host.it("has the status of a refusal, and finishes", async () => {
        await using server = await host.start({ allowRequest: (_req, callback) => callback(null, false) });
        let closed: Promise<unknown> | undefined;
        let response: ServerResponse | undefined;
        let seen: string[] = [];
        use(server.engine, (_req, res, next) => {
          response = res;
          res.setHeader("X-A", "1");
          seen = record(res, "finish", "close");
          closed = once(res, "close");
          next();
        });
        const { status, headers } = await way.refused(server);
        await closed;
        assert.deepEqual(seen, ["finish", "close"]);
        assert.equal(response?.statusCode, status);
        assert.equal(headers["x-a"], "1");
      });

      host.it("runs the functions that middlewares have wrapped around writeHead", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res, next) => {
          const writeHead = res.writeHead.bind(res);
          res.writeHead = function (this: ServerResponse, ...args: unknown[]) {
            this.setHeader("X-Late", "1");
            return Reflect.apply(writeHead, undefined, args) as ServerResponse;
          };
          next();
        });
        const { headers } = await way.open(server);
        assert.equal(headers["x-late"], "1");
      });
      host.it("sends several cookies", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res, next) => {
          res.appendHeader("Set-Cookie", "a=1");
          res.appendHeader("set-cookie", ["b=2", "c=3"]);
          next();
        });
        const { headers } = await way.open(server);
        assert.deepEqual(headers["set-cookie"], ["a=1", "b=2", "c=3"]);
      });

      if (way.name === "polling") return;
      host.it("passes the headers of middlewares to listeners of headers", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res, next) => {
          res.setHeader("X-A", "1");
          next();
        });
        let seen: unknown;
        server.engine.on("headers", (headers: Record<string, string>) => {
          seen = { ...headers };
          headers["X-A"] = "2";
        });
        const { headers } = await way.open(server);
        assert.deepEqual(seen, { "X-A": "1" });
        assert.equal(headers["x-a"], "2");
      });
    });
  }

  for (const way of ways) {
    const title = `drops a response that a listener of headers would break, by ${way.name}`;
    host.it(title, async () => {
      await using server = await host.start();
      server.engine.once("headers", (headers: Record<string, string>) => {
        headers["x-a"] = "1\r\nx-evil: 1";
      });
      const thrown = uncaught(1);
      await assert.rejects(way.open(server));
      assert.equal(((await thrown)[0] as NodeJS.ErrnoException).code, "ERR_INVALID_CHAR");
      // node:http learns of it later, after the session has been announced.
      if (way.name === "polling" && host.name === "node") await server.nextSession();
      await until(() => server.engine.clientsCount === 0, "the session to go");
      await assertServes(server);
    });
  }

  host.it("closes without finishing when the client leaves during a poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    let seen: string[] = [];
    let response: ServerResponse | undefined;
    use(server.engine, (_req, res, next) => {
      response = res;
      seen = record(res, "finish", "close");
      next();
    });
    const aborter = new AbortController();
    const { answer } = await peer.park({ signal: aborter.signal });
    aborter.abort();
    await assert.rejects(answer);
    await until(() => seen.length > 0, "the response to close");
    assert.deepEqual(seen, ["close"]);
    response?.end("nobody reads this");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(seen, ["close"]);
  });

  host.it("sends a custom reason phrase", { needs: "tcp" }, async () => {
    await using server = await host.start();
    use(server.engine, (_req, res) => {
      res.statusMessage = "Not Today";
      res.statusCode = 403;
      res.end();
    });
    const request = `GET ${server.path("transport=polling")} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    assert.match(await exchange(server.port, request), /^HTTP\/1\.1 403 Not Today\r\n/);
  });
  host.it("keeps the cookies of middlewares next to the engine's own", async () => {
    await using server = await host.start({ cookie: true as never });
    use(server.engine, (_req, res, next) => {
      res.setHeader("set-cookie", "a=1");
      next();
    });
    const { headers } = await server.client.get(server.path("transport=polling"));
    const { id } = await server.nextSession();
    assert.deepEqual(headers["set-cookie"], ["a=1", `io=${id}; Path=/; HttpOnly; SameSite=Lax`]);
  });
});
