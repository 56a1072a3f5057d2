import assert from "node:assert/strict";

import { describeWithChromium, type Browser } from "../../test/support/browser/chromium.ts";
import { collect, next } from "../../test/support/waiting/events.ts";
import { sharingSuite } from "../support/after-test.ts";
import type { Server, Socket } from "../../test/support/server/socketio.ts";
import { isFull, unsupported } from "../support/cell.ts";
import type { CellHost, RestartableServer } from "../support/restartable.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { clients, codes, type Client } from "./support/clients.ts";
import { startSite } from "./support/site.ts";
import { inPage, Tab, type PageBytes, type PageClient } from "./support/tab.ts";

const COUNT = 40;
const BYTES = Buffer.from([0, 1, 4, 0x1e, 0x7f, 0x80, 0xff]);
const KINDS: PageBytes["$"][] = ["ArrayBuffer", "Uint8Array", "Blob", "File"];

function prepare(io: Server): void {
  io.of("/other");
  io.of("/admin").use((socket, next) => {
    if (socket.handshake.auth["token"] === "right") next();
    else next(Object.assign(new Error("wrong token"), { data: { code: 7 } }));
  });
}

describeWithChromium("browser: messages", (browser) => {
  for (const client of clients) {
    for (const way of wayNames) {
      // all tests share a page: opening one takes longer than a test
      onEachHost(client, way, "messages", (host) => declare(browser, client, way, host), sharingSuite);
    }
  }
});

function declare(
  browser: () => Browser,
  client: Client,
  way: (typeof wayNames)[number],
  host: CellHost,
): void {
  let site: RestartableServer;
  let tab: Tab;

  before(async () => {
    site = await startSite(host, client, {}, prepare);
    tab = await Tab.open(browser(), site.url, client);
  });

  async function pair(options: object = { forceNew: true }): Promise<{ page: PageClient; socket: Socket }> {
    const page = await tab.at().connected({ ...ways[way], reconnection: false, ...options });
    return { page, socket: site.socket((await page.state()).id) };
  }

  if (!client.version.startsWith("4")) {
    unsupported("loads as an ES module", "this version has no ES module for browsers");
  }

  it("exchanges events in order, also during an upgrade", async () => {
    const { page, socket } = await pair();
    const heard = collect(socket, "message", COUNT);
    for (let n = 0; n < COUNT; n++) socket.emit("message", n, `text ${n} é 😀`);
    for (let n = 0; n < COUNT; n++) await page.emit("message", n, { n });
    assert.deepEqual(
      await heard,
      Array.from({ length: COUNT }, (_, n) => [n, { n }]),
    );
    for (let n = 0; n < COUNT; n++) assert.deepEqual(await page.take("message"), [n, `text ${n} é 😀`]);
    const last = way === "upgrade" ? "websocket" : way;
    if (way === "upgrade") await page.upgraded();
    assert.equal((await page.state()).transport, last);
    await page.ask("echo", "over the last transport");
    assert.equal(socket.conn.transport.name, last);
  });

  // where two bundles have the same code, the quick form tests the other transports with one of them
  if (!isFull && way !== "upgrade" && !codes.includes(client)) return;

  it("exchanges acks both ways", async () => {
    const { page, socket } = await pair();
    const args = ["a\u2028b", { nested: [1, null, { x: true }] }, 0];
    assert.deepEqual(await page.ask("echo", ...args), args);
    assert.deepEqual(await page.ask("echo"), []);
    const answered = new Promise<unknown[]>((resolve) =>
      socket.emit("ask", ...args, (...answer: unknown[]) => resolve(answer)),
    );
    assert.deepEqual(await answered, args);
  });

  if (client.version.startsWith("4")) {
    it("sends a DataView of the middle of a buffer", async () => {
      const { page } = await pair();
      assert.deepEqual(await page.ask("echo", inPage(BYTES, "DataView")), [inPage(BYTES)]);
    });
  } else {
    unsupported(
      "sends a DataView of the middle of a buffer",
      "this client sends other bytes than those of the view",
    );
  }

  it("exchanges binary of every class in browsers, nested and in order with text", async () => {
    const { page, socket } = await pair();
    const large = Buffer.alloc(100_000, BYTES);
    const heard = collect(socket, "message", 3);
    const nested = Object.fromEntries(KINDS.map((kind) => [kind, [{ deep: inPage(BYTES, kind) }]]));
    await page.emit("message", "before");
    await page.emit("message", nested, inPage(large));
    await page.emit("message", "after");
    assert.deepEqual(await heard, [
      ["before"],
      [Object.fromEntries(KINDS.map((kind) => [kind, [{ deep: BYTES }]])), large],
      ["after"],
    ]);
    socket.emit("message", { deep: [BYTES, Buffer.alloc(0)] }, large);
    socket.emit("message", "then");
    assert.deepEqual(await page.take("message"), [
      { deep: [inPage(BYTES), inPage(Buffer.alloc(0))] },
      inPage(large),
    ]);
    assert.deepEqual(await page.take("message"), ["then"]);
    assert.deepEqual(await page.ask("echo", inPage(BYTES, "Blob")), [inPage(BYTES)]);
  });

  it("joins namespaces over one connection, and gets the error of one that refuses it", async () => {
    const { page, socket } = await pair({});
    const options = { ...ways[way], reconnection: false };
    const [admin, other] = [tab.at("/admin"), tab.at("/other")];
    await admin.open({ ...options, ...credentials(client, "wrong") });
    if (client.protocol === 3) assert.deepEqual(await admin.take("error"), [{ code: 7 }]);
    else assert.deepEqual(await admin.take("connect_error"), [{ message: "wrong token", data: { code: 7 } }]);
    await other.connected(options);
    const [inOther] = [...site.io.of("/other").sockets.values()];
    assert.equal(inOther?.client, socket.client);
    await admin.connected({ ...options, forceNew: true, ...credentials(client, "right") });
    await page.ask("echo", "still here");
  });

  it("reports the reason of a disconnect on both sides", async () => {
    const { page, socket } = await pair();
    const left = next(socket, "disconnect");
    await page.close();
    assert.equal((await left)[0], "client namespace disconnect");
    assert.equal((await page.take("disconnect"))[0], "io client disconnect");
  });
}

function credentials(client: Client, token: string): object {
  return client.protocol === 3 ? { query: { token } } : { auth: { token } };
}
