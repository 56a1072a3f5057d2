import assert from "node:assert/strict";
import { once } from "node:events";
import type { Http2ServerRequest } from "node:http2";
import { get as httpsGet } from "node:https";
import { WebSocket } from "ws";
import { closeOf, Http2Engine, POLLING, WEBSOCKET } from "../support/http2/engine.ts";
import { tls } from "../support/http2/peers.ts";
import { until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";

interface LateResponse {
  _header: unknown;
  _implicitHeader(): void;
  end(...args: unknown[]): unknown;
}

describe("HTTP/2", () => {
  describe("long-polling", () => {
    it("opens a session, and carries messages both ways", async () => {
      await using running = await Http2Engine.start();
      const { path, session } = await running.poll();
      const message = once(session, "message");
      const posted = await running.client.request("POST", path, {
        body: "4hi",
        headers: { "content-type": "text/plain;charset=UTF-8" },
      });
      assert.equal(`${posted.status} ${posted.body}`, "200 ok");
      assert.deepEqual(await message, ["hi"]);
      session.send("a");
      assert.equal((await running.client.request("GET", path)).body, "4a");
      const parked = running.client.request("GET", path);
      await until(() => session.transport.writable, "a poll to be parked");
      session.send("b");
      assert.equal((await parked).body, "4b");
      assert.equal(session.readyState, "open");
    });

    it("sends the headers that HTTP/2 has, and none of a connection", async () => {
      await using running = await Http2Engine.start({
        cookie: true,
        cors: { origin: "https://page.example" },
      });
      const { headers } = await running.client.request("GET", POLLING);
      assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
      assert.equal(headers["access-control-allow-origin"], "https://page.example");
      assert.match(String(headers["set-cookie"]), /^io=/);
      assert.equal(headers["connection"], undefined);
    });

    it("refuses as over HTTP/1.1", async () => {
      await using running = await Http2Engine.start();
      const { status, body } = await running.client.request("GET", `${POLLING}&sid=no`);
      assert.deepEqual([status, body], [400, '{"code":1,"message":"Session ID unknown"}']);
    });

    it("closes the session when a held poll is reset, and keeps the connection", async () => {
      await using running = await Http2Engine.start();
      const { path, session } = await running.poll();
      const aborter = new AbortController();
      const parked = running.client.request("GET", path, { signal: aborter.signal });
      parked.catch(() => {});
      await until(() => session.transport.writable, "a poll to be parked");
      const closed = closeOf(session);
      aborter.abort();
      assert.equal(await closed, "transport error");
      await running.poll();
    });

    it("answers a body that is too large with 413", async () => {
      await using running = await Http2Engine.start({ maxHttpBufferSize: 10 });
      const { path } = await running.poll();
      const { status } = await running.client.request("POST", path, { body: `4${"x".repeat(20)}` });
      assert.equal(status, 413);
    });

    it("runs middlewares that wait for the head of the response", async () => {
      await using running = await Http2Engine.start();
      running.engine.use((_req, res, next) => {
        const late = res as unknown as LateResponse;
        const end = late.end.bind(late);
        late.end = (...args: unknown[]) => {
          if (!late._header) late._implicitHeader();
          return end(...args);
        };
        next();
      });
      const { path } = await running.poll();
      const { status, body } = await running.client.request("POST", path, { body: "4hi" });
      assert.deepEqual([status, body], [200, "ok"]);
    });

    it("leaves other paths to the application", async () => {
      await using running = await Http2Engine.start();
      const { status, body } = await running.client.request("GET", "/other");
      assert.deepEqual([status, body], [404, "no /other"]);
    });
  });

  it("keeps the address and the encryption of a request whose stream has ended", async () => {
    await using running = await Http2Engine.start();
    const { path, session } = await running.poll();
    await running.client.request("POST", path, { body: "4hi" });
    const request = session.request as unknown as Http2ServerRequest;
    await until(() => request.stream.closed, "the end of the stream");
    assert.equal((request.connection as { encrypted?: boolean }).encrypted, true);
    assert.match(String(request.socket.remoteAddress), /127\.0\.0\.1|::1/);
  });

  describe("HTTP/1.1 on the same port", () => {
    it("serves long-polling", async () => {
      await using running = await Http2Engine.start();
      const answered = new Promise<number | undefined>((resolve, reject) => {
        const url = `https://localhost:${running.http.port}${POLLING}`;
        httpsGet(url, { ca: tls.cert, agent: false }, (response) => {
          response.resume().once("end", () => resolve(response.statusCode));
        }).once("error", reject);
      });
      assert.equal(await answered, 200);
      assert.equal(((await running.session()).request as unknown as Http2ServerRequest).httpVersion, "1.1");
    });

    it("opens WebSockets", async () => {
      await using running = await Http2Engine.start();
      const socket = new WebSocket(`wss://localhost:${running.http.port}${WEBSOCKET}`, { ca: tls.cert });
      const [open] = (await within(once(socket, "message"), "the handshake")) as [Buffer];
      assert.match(open.toString(), /^0\{"sid"/);
      socket.terminate();
    });
  });

  it("ends idle connections when the engine is closed, so that the server can close", async () => {
    await using running = await Http2Engine.start();
    const { socket } = await running.websocket();
    await running.poll();
    const closed = once(running.http.server, "close");
    running.engine.close();
    running.http.server.close();
    await socket.closed;
    await within(closed, "the server to close");
  });
});
