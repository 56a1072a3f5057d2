import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { within } from "../support/waiting/queue.ts";

import { listen } from "../support/hosts/listening.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { describeWithChromium } from "../support/browser/chromium.ts";

const bundle = createRequire(import.meta.url).resolve("socket.io-client-v2/dist/socket.io.js");

// What runs in the page is source: functions would come from the compiler, which uses helpers that the page lacks.
const CONNECT = `({ url, options }) => { window.client = io(url, options) }`;
const ASK = `(args) => new Promise((resolve, reject) => {
  client.on("connect_error", reject);
  client.emit("echo", ...args, (...answer) => resolve(answer));
})`;
const ASK_BYTES = `(bytes) => new Promise((resolve) => {
  client.emit("echo", new Uint8Array(bytes).buffer, (answer) => {
    resolve({ type: answer.constructor.name, bytes: Array.from(new Uint8Array(answer)) });
  });
})`;
const BYTES = [0, 4, 127, 128, 255];

const NOSNIFF = { "X-Content-Type-Options": "nosniff" };

const ways: Record<string, object> = {
  "XHR, binary payloads": { transports: ["polling"] },
  JSONP: { transports: ["polling"], forceJSONP: true },
  WebSocket: { transports: ["websocket"] },
  "an upgrade from XHR": { transports: ["polling", "websocket"] },
};

function call(page: Page, source: string, argument: unknown): Promise<unknown> {
  const answer = page.evaluate(`(${source})(${JSON.stringify(argument)})`);
  return within(answer, "the page");
}

describeWithChromium("browser: socket.io-client 2 on a page of another origin", (browser) => {
  // On the same machine as the server: browsers keep pages of the wide world from it.
  async function openPage(running: StartedServer): Promise<Page> {
    const html = { "Content-Type": "text/html; charset=utf-8" };
    const pages = createServer((_, res) => void res.writeHead(200, html).end("<body></body>"));
    const { port, stop } = await listen(pages);
    running.closeWith(stop);
    const context = await browser().newContext();
    running.closeWith(() => context.close());
    const page = await context.newPage();
    await page.goto(`http://localhost:${port}/`);
    await page.addScriptTag({ path: bundle });
    return page;
  }

  async function start(host: ServerHost): Promise<StartedServer> {
    const cors = { origin: /^http:\/\/localhost:\d+$/, credentials: true };
    const running = await host.start({ allowEIO3: true, cors });
    // as helmet does: a script of the type text/plain would not run
    running.io.engine.on("headers", (headers: Record<string, string>) => Object.assign(headers, NOSNIFF));
    return running;
  }

  onEveryHost("with a server", serverHosts, (host) => {
    for (const [way, options] of Object.entries(ways)) {
      it(`exchanges text and binary by ${way}`, async () => {
        await using server = await start(host);
        server.io.on("connection", (socket) => {
          socket.on("echo", (...args: unknown[]) => (args.pop() as (...args: unknown[]) => void)(...args));
        });
        const connection = next<[Socket]>(server.io, "connection");
        const page = await openPage(server);
        await call(page, CONNECT, { url: server.url, options: { ...options, reconnection: false } });
        const text = ["é 😀 \u2028 line\nline\\nline </script>", { a: ["\\\n"] }];
        assert.deepEqual(await call(page, ASK, text), text);
        assert.deepEqual(await call(page, ASK_BYTES, BYTES), { type: "ArrayBuffer", bytes: BYTES });
        const [socket] = await connection;
        assert.equal(socket.conn.protocol, 3);
        const left = next(socket, "disconnect");
        await page.evaluate("client.close(), 0");
        assert.match(String((await left)[0]), /^(client namespace disconnect|transport close)$/);
      });
    }
  });
});
