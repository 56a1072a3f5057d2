import assert from "node:assert/strict";
import { once } from "node:events";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Server } from "@tidewire/engine";
import type { ServerOptions } from "@tidewire/engine";
import { closeOf, Http2Engine, WEBSOCKET } from "../support/http2/engine.ts";
import { Http2Client, Http2TestServer } from "../support/http2/peers.ts";
import { until } from "../support/engine/peers.ts";

describe("HTTP/2", () => {
  describe("WebSocket on a stream (RFC 8441)", () => {
    it("is announced without a setting of the application", async () => {
      await using running = await Http2Engine.start();
      assert.equal(running.client.session.remoteSettings.enableConnectProtocol, true);
    });

    it("is not announced without the transport", async () => {
      await using running = await Http2Engine.start({ transports: ["polling"] });
      assert.notEqual(running.client.session.remoteSettings.enableConnectProtocol, true);
    });

    it("is answered with 200, and nothing of the handshake of HTTP/1.1", async () => {
      await using running = await Http2Engine.start();
      const { headers } = await running.client.websocket(WEBSOCKET);
      assert.equal(headers[":status"], 200);
      for (const name of ["connection", "upgrade", "sec-websocket-accept", "sec-websocket-extensions"]) {
        assert.equal(headers[name], undefined, name);
      }
    });

    it("carries text and binary both ways", async () => {
      await using running = await Http2Engine.start();
      const { socket, session } = await running.websocket();
      session.on("message", (data: string | Buffer) => session.send(data));
      socket.send("4€");
      socket.send(Buffer.from([1, 2, 3]));
      assert.deepEqual(await socket.take(2), ["4€", Buffer.from([1, 2, 3])]);
      const large = Buffer.alloc(500_000, "tidewire");
      socket.send(large);
      assert.ok(large.equals((await socket.next()) as Buffer));
    });

    it("serves many on one connection", async () => {
      await using running = await Http2Engine.start();
      const peers = [];
      for (let count = 0; count < 5; count++) peers.push(await running.websocket());
      for (const [index, { session }] of peers.entries()) session.send(`${index}`);
      const got = await Promise.all(peers.map(({ socket }) => socket.next()));
      assert.deepEqual(got, ["40", "41", "42", "43", "44"]);
    });

    it("has a session with the request, its address and its version", async () => {
      await using running = await Http2Engine.start();
      const { session } = await running.websocket();
      const request = session.request as unknown as Http2ServerRequest;
      assert.equal(session.transport.name, "websocket");
      assert.equal(request.httpVersion, "2.0");
      assert.equal(request.headers["upgrade"], "websocket");
      assert.equal((request.socket as { encrypted?: boolean }).encrypted, true);
      assert.match(session.remoteAddress, /127\.0\.0\.1|::1/);
    });

    it("upgrades a session from polling", async () => {
      await using running = await Http2Engine.start();
      const { session } = await running.poll();
      const upgraded = once(session, "upgrade");
      const socket = await running.client.websocket(`${WEBSOCKET}&sid=${session.id}`);
      socket.send("2probe");
      assert.equal(await socket.next(), "3probe");
      socket.send("5");
      await upgraded;
      session.send("over the stream");
      assert.equal(await socket.next(), "4over the stream");
    });

    it("runs middlewares, and sends the headers they set", async () => {
      await using running = await Http2Engine.start();
      running.engine.use((_req, res, next) => {
        res.setHeader("x-middleware", "1");
        res.setHeader("set-cookie", ["a=1", "b=2"]);
        next();
      });
      const { headers } = await running.client.websocket(WEBSOCKET);
      assert.equal(headers["x-middleware"], "1");
      assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
    });

    it("sends the headers that listeners add", async () => {
      await using running = await Http2Engine.start();
      running.engine.on("headers", (headers: Record<string, string>) => {
        headers["x-listener"] = "1";
      });
      const { headers } = await running.client.websocket(WEBSOCKET);
      assert.equal(headers["x-listener"], "1");
    });

    it("is refused by allowRequest with a status and a reason", async () => {
      const allowRequest: ServerOptions["allowRequest"] = (_req, done) => done("not you", false);
      await using running = await Http2Engine.start({ allowRequest });
      const { status, body } = await running.client.refused(WEBSOCKET);
      assert.deepEqual([status, body], [400, "not you"]);
    });

    it("is refused for an unknown sid", async () => {
      await using running = await Http2Engine.start();
      const { status, body, headers } = await running.client.refused(`${WEBSOCKET}&sid=no`);
      assert.deepEqual([status, body], [400, "Session ID unknown"]);
      assert.equal(headers["connection"], undefined);
    });

    it("is refused for an unsupported version of WebSocket", async () => {
      await using running = await Http2Engine.start();
      const { status } = await running.client.refused(WEBSOCKET, { "sec-websocket-version": "9" });
      assert.equal(status, 400);
      assert.equal(running.engine.clientsCount, 0);
    });

    it("is answered with 405 on other paths, as without a listener", async () => {
      await using running = await Http2Engine.start();
      assert.equal((await running.client.refused("/other")).status, 405);
    });

    it("leaves CONNECT on other paths to earlier listeners", async () => {
      const engine = new Server();
      await using http = await new Http2TestServer().listen();
      http.server.on("connect", (_request: Http2ServerRequest, response: Http2ServerResponse) => {
        response.writeHead(418).end("taken");
      });
      engine.attach(http.server);
      await using client = await Http2Client.connect(http.port);
      assert.equal((await client.refused("/other")).status, 418);
    });

    it("is not taken for a CONNECT of another protocol", async () => {
      await using running = await Http2Engine.start();
      assert.equal((await running.client.refused(WEBSOCKET, { ":protocol": "other" })).status, 405);
    });

    it("serves two engines on one server, by their paths", async () => {
      const [first, second] = [new Server(), new Server()];
      await using http = await new Http2TestServer().listen();
      first.attach(http.server);
      second.attach(http.server, { path: "/second" });
      await using client = await Http2Client.connect(http.port);
      await (await client.websocket(WEBSOCKET)).next();
      await (await client.websocket(WEBSOCKET.replace("engine.io", "second"))).next();
      assert.deepEqual([first.clientsCount, second.clientsCount], [1, 1]);
    });

    it("negotiates permessage-deflate when it is configured", async () => {
      await using running = await Http2Engine.start({ perMessageDeflate: { threshold: 0 } });
      const { headers } = await running.client.websocket(WEBSOCKET, {
        "sec-websocket-extensions": "permessage-deflate",
      });
      assert.equal(headers["sec-websocket-extensions"], "permessage-deflate");
    });

    it("closes with a close frame when the server closes", async () => {
      await using running = await Http2Engine.start();
      const { socket, session } = await running.websocket();
      session.send("last");
      session.close();
      assert.equal(await socket.next(), "4last");
      assert.equal(await socket.closed, 1005);
    });

    it("closes the session when the client sends a close frame", async () => {
      await using running = await Http2Engine.start();
      const { socket, session } = await running.websocket();
      const closed = closeOf(session);
      socket.close();
      assert.equal(await closed, "transport close");
      await socket.closed;
    });

    it("closes the session when the stream is reset", async () => {
      await using running = await Http2Engine.start();
      const { socket, session } = await running.websocket();
      const closed = closeOf(session);
      socket.stream.close(8);
      assert.match(await closed, /^transport (close|error)$/);
    });

    it("closes the session when the connection is lost", async () => {
      await using running = await Http2Engine.start();
      const { session } = await running.websocket();
      const closed = closeOf(session);
      running.http.cut();
      assert.match(await closed, /^transport (close|error)$/);
    });

    it("closes with 1009 for a message that is too large", async () => {
      await using running = await Http2Engine.start({ maxHttpBufferSize: 100 });
      const { socket, session } = await running.websocket();
      const closed = closeOf(session);
      socket.send(`4${"x".repeat(200)}`);
      assert.equal(await closed, "transport error");
      assert.equal(await socket.closed, 1009);
    });

    it("survives a reset while an async hook runs", async () => {
      let release = (): void => {};
      const allowRequest: ServerOptions["allowRequest"] = (_req, done) => {
        release = () => done(null, true);
      };
      await using running = await Http2Engine.start({ allowRequest });
      const stream = running.client.connect(WEBSOCKET);
      stream.on("error", () => {});
      const asked = release;
      await until(() => release !== asked, "allowRequest");
      stream.close(8);
      await once(stream, "close");
      await running.client.request("GET", "/other");
      release();
      assert.equal(running.engine.clientsCount, 0);
    });

    it("queues messages for a client that does not read, and loses nothing", async () => {
      await using running = await Http2Engine.start();
      const { socket, session } = await running.websocket();
      socket.stream.pause();
      const text = "x".repeat(100_000);
      for (let count = 0; count < 20; count++) {
        session.send(`${count}${text}`);
        await new Promise(setImmediate);
      }
      assert.equal(session.transport.writable, false);
      assert.ok(session.bufferedAmount > 1_000_000);
      socket.stream.resume();
      const got = (await socket.take(20)) as string[];
      assert.deepEqual(
        got.map((message) => message.length),
        Array.from({ length: 20 }, (_, index) => 1 + `${index}`.length + text.length),
      );
      await until(() => session.bufferedAmount === 0, "the queue to drain");
    });
  });
});
