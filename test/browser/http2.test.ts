import assert from "node:assert/strict";
import type { Http2ServerRequest } from "node:http2";
import { Server } from "@tidewire/server";
import type { Socket } from "socket.io";
import { Http2TestServer } from "../support/http2.ts";
import { within } from "../support/queue.ts";
import { describeWithChromium } from "../support/chromium.ts";

/** What the page's client tells, and what the page may do with it. */
interface Page {
  io(options: object): {
    connected: boolean;
    once(event: string, listener: (...args: never[]) => void): void;
    emit(event: string, data: unknown, ack: (answer: unknown) => void): void;
    io: { engine: { transport: { name: string } } };
  };
}

const PAGE = `<!doctype html><title>HTTP/2</title><script src="/socket.io/socket.io.js"></script>`;

describeWithChromium("a browser over HTTP/2", (browser) => {
  for (const transports of [["websocket"], ["polling", "websocket"]]) {
    it(`opens its WebSocket on a stream, with ${transports.join(" and ")}`, async () => {
      await using http = await new Http2TestServer().listen();
      http.server.prependListener("request", (request, response) => {
        if (request.url === "/") response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      });
      const listeners = http.server.listeners("request");
      http.server.removeListener("request", listeners[1] as () => void);
      const io = new Server(http.server);
      const connected = new Promise<Socket>((resolve) =>
        io.on("connection", (socket) => {
          socket.on("echo", (data: unknown, done: (data: unknown) => void) => done(data));
          resolve(socket as unknown as Socket);
        }),
      );
      const context = await browser().newContext({ ignoreHTTPSErrors: true });
      try {
        const page = await context.newPage();
        await page.goto(`https://localhost:${http.port}/`);
        const told = page.evaluate(async (transports) => {
          const socket = (globalThis as unknown as Page).io({ transports });
          await new Promise<void>((resolve) => socket.once("connect", resolve));
          const { engine } = socket.io;
          while (engine.transport.name !== "websocket")
            await new Promise((resolve) => setTimeout(resolve, 5));
          return new Promise((resolve) => socket.emit("echo", "over a stream", resolve));
        }, transports);
        assert.equal(await within(told, "the echo", 10_000), "over a stream");
        const socket = await connected;
        assert.equal(socket.conn.transport.name, "websocket");
        const { socket: websocket } = socket.conn.transport as unknown as {
          socket: { _socket: { constructor: { name: string } } };
        };
        assert.equal(websocket._socket.constructor.name, "ServerHttp2Stream");
        assert.equal((socket.request as unknown as Http2ServerRequest).httpVersion, "2.0");
        assert.equal(socket.handshake.secure, true);
      } finally {
        await context.close();
      }
      await within(io.close(), "io.close()");
    });
  }
});
