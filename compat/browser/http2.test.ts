import assert from "node:assert/strict";
import type { Http2ServerRequest } from "node:http2";
import { describeWithChromium } from "../../test/support/browser/chromium.ts";
import { Http2TestServer } from "../../test/support/http2/peers.ts";
import { afterThisTest } from "../support/after-test.ts";
import { socketio } from "../../test/support/server/socketio.ts";
import type { Socket } from "../../test/support/server/socketio.ts";
import { Queue, within } from "../../test/support/waiting/queue.ts";
import { isFull, unsupported } from "../support/cell.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { clients, latest, type Client } from "./support/clients.ts";
import { answerWithFile, pagePath } from "./support/site.ts";
import { Tab, type PageClient } from "./support/tab.ts";

describeWithChromium("browser: HTTP/2", (browser) => {
  for (const client of isFull ? clients : [latest]) {
    for (const way of wayNames) {
      onEachHost(client, way, "over HTTP/2", (host) => {
        const title = "exchanges events over an HTTP/2 connection";
        if (host === "uws") return unsupported(title, "uWebSockets.js has no HTTP/2");
        it(title, async () => {
          const { page, socket } = await open(client, way);
          assert.deepEqual(await page.ask("echo", "over a stream"), ["over a stream"]);
          assert.equal((socket.request as unknown as Http2ServerRequest).httpVersion, "2.0");
          if (way === "polling") return;
          assert.equal(socket.handshake.secure, true);
          assert.equal(socket.conn.transport.name, "websocket");
          assert.equal(streamOf(socket).constructor.name, "ServerHttp2Stream");
        });
      });
    }
  }

  async function open(
    client: Client,
    transport: keyof typeof ways,
  ): Promise<{ page: PageClient; socket: Socket }> {
    const http = await new Http2TestServer().listen();
    afterThisTest(() => http[Symbol.asyncDispose]());
    http.server.removeAllListeners("request");
    http.server.on("request", answerWithFile);
    const io = new socketio.Server(http.server, { allowEIO3: client.protocol === 3 });
    afterThisTest(() => io.close());
    const sockets = new Queue<Socket>("a connection");
    io.on("connection", (socket) => {
      socket.on("echo", (data: unknown, answer: (data: unknown) => void) => answer(data));
      sockets.push(socket);
    });
    const context = await browser().newContext({ ignoreHTTPSErrors: true });
    afterThisTest(() => context.close());
    const tab = new Tab(await context.newPage());
    await tab.goto(`https://localhost:${http.port}${pagePath(client)}`);
    const page = await tab.at().connected({ ...ways[transport], reconnection: false });
    if (transport === "upgrade") await within(page.upgraded(), "the upgrade");
    return { page, socket: await sockets.next() };
  }
});

/** The stream under the WebSocket of a connection. */
function streamOf(socket: Socket): object {
  const { socket: websocket } = socket.conn.transport as unknown as { socket: { _socket: object } };
  return websocket._socket;
}
