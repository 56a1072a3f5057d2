import assert from "node:assert/strict";
import { describeWithChromium, type Browser } from "../../test/support/browser/chromium.ts";
import { next } from "../../test/support/waiting/events.ts";
import type { ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { isFull, unsupported } from "../support/cell.ts";
import type { CellHost, RestartableServer } from "../support/restartable.ts";
import { front, NO_RECOVERY } from "../support/workers.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { latest } from "./support/clients.ts";
import { ELSEWHERE, pagePath, startSite } from "./support/site.ts";
import { PageClient } from "./support/tab.ts";
import { BrowserWindow, type WindowTab } from "./support/window.ts";

describeWithChromium("browser: hidden and frozen pages", (browser) => {
  for (const way of wayNames) {
    if (!isFull && way === "websocket") continue;
    onEachHost(latest, way, "hidden pages", (host) => declare(browser, way, host));
  }
});

interface Opened {
  site: RestartableServer;
  window: BrowserWindow;
  tab: WindowTab;
  page: PageClient;
  socket: Socket;
}

function declare(browser: () => Browser, way: (typeof wayNames)[number], host: CellHost): void {
  async function open(options: Partial<ServerOptions> = {}): Promise<Opened> {
    const site = await startSite(host, latest, options);
    const window = await BrowserWindow.open(browser());
    const tab = await window.tab(site.url + pagePath(latest));
    const page = new PageClient(tab);
    await page.connected({ ...ways[way], reconnectionDelay: 50, reconnectionDelayMax: 200 });
    if (way === "upgrade") await page.upgraded();
    return { site, window, tab, page, socket: await site.sockets.next() };
  }

  it("exchange events while hidden, and when shown again", async () => {
    const { site, window, tab, page, socket } = await open();
    await window.tab(site.url + ELSEWHERE);
    await tab.hidden();
    socket.emit("message", "while hidden");
    assert.deepEqual(await page.take("message"), ["while hidden"]);
    assert.deepEqual(await page.ask("echo", "from a hidden page"), ["from a hidden page"]);
    await tab.show();
    assert.deepEqual(await page.ask("echo", "shown"), ["shown"]);
    assert.equal((await page.state()).id, socket.id);
  });

  // Chromium closes a WebSocket that received data while the page was frozen, so this needs state recovery.
  const frozen = "receive events sent while they were frozen, once and in order";
  if (front !== undefined) unsupported(frozen, NO_RECOVERY);
  else
    it(frozen, async () => {
      const { site, window, tab, page, socket } = await open({ connectionStateRecovery: {} });
      socket.emit("message", "gives the client an offset");
      await page.take("message");
      await window.tab(site.url + ELSEWHERE);
      await tab.hidden();
      await tab.setFrozen(true);
      for (let n = 0; n < 20; n++) socket.emit("message", n);
      await tab.setFrozen(false);
      for (let n = 0; n < 20; n++) assert.equal((await page.take("message"))[0], n);
      assert.deepEqual(await page.ask("echo", "thawed"), ["thawed"]);
      assert.equal((await page.state()).id, socket.id);
      assert.ok(!(await page.told()).some(([event]) => event === "message"));
    });

  it("time out when frozen for long, and reconnect by themselves", async () => {
    const { site, window, tab, page, socket } = await open({ pingInterval: 100, pingTimeout: 2_000 });
    await window.tab(site.url + ELSEWHERE);
    await tab.hidden();
    const gone = next(socket, "disconnect");
    await tab.setFrozen(true);
    // Too short for a page on a busy machine that is not frozen.
    site.io.engine.opts.pingTimeout = 300;
    assert.equal((await gone)[0], "ping timeout");
    site.io.engine.opts.pingTimeout = 2_000;
    await tab.setFrozen(false);
    await tab.show();
    const [reason] = await page.take("disconnect");
    assert.match(String(reason), /^(ping timeout|transport close|transport error)$/);
    await page.take("connect");
    assert.deepEqual(await page.ask("echo", "again"), ["again"]);
    assert.notEqual((await page.state()).id, socket.id);
  });
}
