import assert from "node:assert/strict";
import { describeWithChromium, type Browser } from "../../test/support/browser/chromium.ts";
import { startRefusingProxy, type Refusal } from "../../test/support/proxies/refusing.ts";
import { afterThisTest } from "../support/after-test.ts";
import { next } from "../../test/support/waiting/events.ts";
import { writable } from "../../test/support/server/clients.ts";
import type { ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { cuttableProxy, type CuttableProxy } from "../../test/support/proxies/tcp.ts";
import { isFull, unsupported } from "../support/cell.ts";
import type { CellHost, RestartableServer } from "../support/restartable.ts";
import { front, NO_RECOVERY } from "../support/workers.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { codes, latest, type Client } from "./support/clients.ts";
import { startSite } from "./support/site.ts";
import { inPage, Tab, type PageClient } from "./support/tab.ts";

type Way = (typeof wayNames)[number];

/** Short delays, which keep the tests fast. */
const SOON = { reconnectionDelay: 50, reconnectionDelayMax: 200 };

describeWithChromium("browser: networks", (browser) => {
  for (const client of codes) {
    onEachHost(client, "upgrade", "without WebSocket", (host) => declareBlocked(browser, client, host));
    for (const way of wayNames) {
      if (!isFull && way !== "upgrade" && (client !== latest || way === "websocket")) continue;
      onEachHost(client, way, "interruptions", (host) => declareInterruptions(browser, client, way, host));
    }
  }
});

/** Asserts that the page works over long-polling, and stays on it. */
async function assertPolling(page: PageClient): Promise<void> {
  assert.deepEqual(await page.ask("echo", "by polling"), ["by polling"]);
  assert.equal((await page.state()).transport, "polling");
}

function declareBlocked(browser: () => Browser, client: Client, host: CellHost): void {
  for (const refusal of ["403", "cut"] satisfies Refusal[]) {
    if (!isFull && client !== latest && refusal === "403") continue;
    const how = refusal === "403" ? "answers 403 to" : "drops";
    it(`stays on long-polling behind a proxy that ${how} WebSocket handshakes`, async () => {
      const site = await startSite(host, client);
      const proxy = await startRefusingProxy(site.port, refusal);
      afterThisTest(() => proxy.close());
      const tab = await Tab.open(browser(), `http://127.0.0.1:${proxy.port}`, client);
      const page = await tab.at().connected(ways.upgrade);
      const socket = await site.sockets.next();
      while (proxy.refused === 0) await page.ask("echo", "until it has tried");
      await assertPolling(page);
      assert.equal(socket.conn.transport.name, "polling");
    });
  }

  if (!isFull && client !== latest) return;

  it("stays on long-polling in a browser without WebSocket", async () => {
    const site = await startSite(host, client);
    const tab = await Tab.open(browser(), site.url, client, { script: "delete window.WebSocket" });
    const page = await tab.at().connected(ways.upgrade);
    await assertPolling(page);
  });

  const fallsBack = "falls back to long-polling if WebSocket, its first choice, is refused";
  if (!client.version.startsWith("4"))
    return unsupported(fallsBack, "tryAllTransports came with version 4.8");
  it(fallsBack, async () => {
    const site = await startSite(host, client);
    const proxy = await startRefusingProxy(site.port, "403");
    afterThisTest(() => proxy.close());
    const tab = await Tab.open(browser(), `http://127.0.0.1:${proxy.port}`, client);
    const options = { transports: ["websocket", "polling"], tryAllTransports: true };
    await assertPolling(await tab.at().connected(options));
  });
}

function declareInterruptions(browser: () => Browser, client: Client, way: Way, host: CellHost): void {
  interface Opened {
    site: RestartableServer;
    tab: Tab;
    page: PageClient;
    socket: Socket;
  }

  /** Connects a page, and resolves with its socket; `through` starts a proxy, and returns its port. */
  async function open(
    options?: Partial<ServerOptions>,
    through?: (site: RestartableServer) => Promise<number>,
  ): Promise<Opened> {
    const site = await startSite(host, client, options);
    const port = (await through?.(site)) ?? site.port;
    const tab = await Tab.open(browser(), `http://127.0.0.1:${port}`, client);
    const page = await tab.at().connected({ ...ways[way], ...SOON });
    if (way === "upgrade") await page.upgraded();
    await page.ask("echo", "settled");
    return { site, tab, page, socket: await site.sockets.next() };
  }

  it("reconnects after the server restarts, and sends the events emitted in the meantime", async () => {
    const { site, page } = await open();
    await site.stop();
    const [reason] = await page.take("disconnect");
    assert.match(String(reason), /^transport (close|error)$/);
    await page.emit("message", "written in between");
    await site.start();
    const socket = await site.sockets.next();
    assert.deepEqual(await next(socket, "message"), ["written in between"]);
    await page.take("connect");
    assert.deepEqual(await page.ask("echo", "again"), ["again"]);
    assert.equal((await page.state()).id, socket.id);
  });

  if (!isFull && client !== latest) return;

  it("reconnects after a TCP reset", async () => {
    let proxy: CuttableProxy | undefined;
    const { site, page, socket } = await open({}, async ({ port }) => {
      proxy = await cuttableProxy(port);
      return proxy.port;
    });
    afterThisTest(() => proxy?.close());
    await writable(socket);
    proxy?.reset();
    await page.take("disconnect");
    await page.take("connect");
    assert.deepEqual(await page.ask("echo", "again"), ["again"]);
    assert.equal((await page.state()).id, (await site.sockets.next()).id);
  });

  const offline = "disconnects when the machine goes offline, and reconnects when it is online again";
  if (client.version.startsWith("4")) {
    it(offline, async () => {
      const { site, tab, page, socket } = await open();
      const gone = new Promise<string>((resolve) => socket.once("disconnect", resolve));
      await tab.context.setOffline(true);
      const [reason] = await page.take("disconnect");
      assert.equal(reason, "transport close");
      // with long-polling, the client cannot send the close packet; the server detects it by the heartbeat
      if (way !== "polling") assert.equal(await gone, "transport close");
      await tab.context.setOffline(false);
      await page.take("connect");
      assert.deepEqual(await page.ask("echo", "online"), ["online"]);
      assert.equal((await page.state()).id, (await site.sockets.next()).id);
    });
  } else {
    unsupported(offline, "clients before version 4.3 do not listen to the offline event");
  }

  const recovers = "recovers its state and the missed events after the connection breaks";
  if (!client.version.startsWith("4")) return unsupported(recovers, "state recovery came with version 4.6");
  if (front !== undefined) return unsupported(recovers, NO_RECOVERY);
  it(recovers, async () => {
    const { site, page, socket } = await open({ connectionStateRecovery: {} });
    await socket.join("room");
    site.io.emit("message", "first");
    assert.equal((await page.take("message"))[0], "first");
    const gone = next(socket, "disconnect");
    await page.lose();
    await gone;
    site.io.to("room").emit("message", "missed", { bytes: Buffer.from([1, 2]) });
    await page.take("disconnect");
    await page.take("connect");
    const [missed, bytes] = await page.take("message");
    assert.deepEqual([missed, bytes], ["missed", { bytes: inPage(Buffer.from([1, 2])) }]);
    const again = await site.sockets.next();
    assert.equal(again.recovered, true);
    assert.equal(again.id, socket.id);
    assert.deepEqual([...again.rooms].toSorted(), [socket.id, "room"].toSorted());
    assert.equal((await page.state()).recovered, true);
  });
}
