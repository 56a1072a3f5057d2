import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { use, ways } from "../support/engine/middlewares.ts";
import { PollingPeer, until } from "../support/engine/peers.ts";

onEveryHost("middlewares: requests and responses are objects of node:http", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("passes instances of Node's classes", async () => {
        await using server = await host.start();
        use(server.engine, (req, res, next) => {
          assert.ok(req instanceof IncomingMessage);
          assert.ok(res instanceof ServerResponse);
          assert.ok(req.socket instanceof Socket);
          assert.ok(res.socket instanceof Socket);
          assert.equal(res.socket.remoteAddress, req.socket.remoteAddress);
          next();
        });
        await way.open(server);
      });

      host.it("lists the values of each header in headersDistinct", async () => {
        await using server = await host.start();
        use(server.engine, (req, _res, next) => {
          assert.deepEqual(req.headersDistinct["x-a"], ["1"]);
          assert.equal(req.headersDistinct["constructor"], undefined);
          next();
        });
        await way.open(server, { "x-a": "1" });
      });

      host.it("allows interim responses", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res, next) => {
          res.writeProcessing();
          res.writeEarlyHints({ link: "</a.css>; rel=preload" }, next);
        });
        await way.open(server);
      });

      host.it("sends a stream of any length", async () => {
        await using server = await host.start();
        const parts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(10_000, index));
        let isDone = false;
        use(server.engine, async (_req, res) => {
          await pipeline(Readable.from(parts), res);
          isDone = true;
        });
        const { raw } = await way.refused(server);
        assert.ok(raw.includes(Buffer.concat(parts)));
        await until(() => isDone, "the pipeline to end");
      });

      host.it("sends the plain body when a middleware sets Transfer-Encoding", async () => {
        await using server = await host.start();
        use(server.engine, (_req, res) => {
          res.setHeader("Transfer-Encoding", "chunked");
          res.write("one ");
          res.end("two");
        });
        const { status, headers, raw } = await way.refused(server);
        assert.equal(status, 200);
        // The host decides about the connection.
        if (host.name !== "node" && way.name === "polling") assert.equal(headers["connection"], undefined);
        assert.equal(raw.toString(), "one two");
      });

      host.it("emits the error that a middleware destroys the request with", async () => {
        await using server = await host.start();
        const errors: unknown[] = [];
        use(server.engine, (req) => {
          req.on("error", (error) => errors.push(error));
          req.destroy(new Error("no"));
          if (way.name === "websocket") req.socket.destroy();
        });
        await assert.rejects(way.open(server));
        await until(() => errors.length === 1, "the error");
        assert.deepEqual(errors, [new Error("no")]);
      });
    });
  }

  host.it("resolves stream.finished() of the response", async () => {
    await using server = await host.start();
    let done: Promise<void> | undefined;
    use(server.engine, (_req, res, next) => {
      done = finished(res);
      next();
    });
    await server.client.get(server.path("transport=polling"));
    await done;
  });

  host.it("emits ECONNRESET on the request when the client leaves", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    let code: string | undefined;
    use(server.engine, (req, _res, next) => {
      req.on("error", (error: NodeJS.ErrnoException) => ({ code } = error));
      next();
    });
    const aborter = new AbortController();
    const { answer } = await peer.park({ signal: aborter.signal });
    aborter.abort();
    await assert.rejects(answer);
    await until(() => code !== undefined, "the error");
    assert.equal(code, "ECONNRESET");
  });

  host.it("answers HEAD with the Content-Length of GET", { needs: "tcp" }, async () => {
    await using server = await host.start();
    use(server.engine, (_req, _res, next) => next());
    const get = await server.client.get(server.path("transport=tcp"));
    const head = await server.client.request("HEAD", server.path("transport=tcp"));
    assert.equal(head.status, 400);
    assert.equal(head.headers["content-length"], get.headers["content-length"]);
    assert.equal(head.body, "");
  });
});
