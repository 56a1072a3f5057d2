import assert from "node:assert/strict";
import { describeWithChromium, type Browser } from "../../test/support/browser/chromium.ts";
import { next } from "../../test/support/waiting/events.ts";
import type { Socket } from "../../test/support/server/socketio.ts";
import { isFull } from "../support/cell.ts";
import type { CellHost, RestartableServer } from "../support/restartable.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { codes, latest, type Client } from "./support/clients.ts";
import { ELSEWHERE, startSite } from "./support/site.ts";
import { Tab, type PageClient } from "./support/tab.ts";

type Way = (typeof wayNames)[number];

/** The page sends no close packet: the TCP connection of the WebSocket closes, or the pending poll breaks. */
const withoutClose = {
  polling: ["transport error"],
  websocket: ["transport close"],
  upgrade: ["transport close"],
};

/** The page sends a close packet; with long-polling, the browser may abort that request, too. */
const withClose = { ...withoutClose, polling: ["transport close", "transport error"] };

/** Whether the client closes on `beforeunload`: version 2 never does, version 3 always, version 4 with `closeOnBeforeunload`. */
function closesOnBeforeunload({ version }: Client): boolean[] {
  if (version.startsWith("2.")) return [false];
  return version.startsWith("3.") ? [true] : [false, true];
}

describeWithChromium("browser: closed and reloaded pages", (browser) => {
  for (const client of codes) {
    for (const way of wayNames) {
      const quick = client === latest ? way !== "upgrade" : way === "upgrade";
      if (!isFull && !quick) continue;
      onEachHost(client, way, "leaving", (host) => {
        if (isFull || client === latest) declare(browser, client, way, host);
        else declareClosed(browser, client, way, host);
      });
    }
  }
});

interface Opened {
  site: RestartableServer;
  tab: Tab;
  page: PageClient;
  socket: Socket;
}

async function open(
  browser: Browser,
  client: Client,
  way: Way,
  host: CellHost,
  options: object = {},
): Promise<Opened> {
  const site = await startSite(host, client);
  const tab = await Tab.open(browser, site.url, client);
  const page = await tab.at().connected({ ...ways[way], ...options });
  if (way === "upgrade") await page.upgraded();
  await page.ask("echo", "settled");
  return { site, tab, page, socket: await site.sockets.next() };
}

/** Waits until the server reports the disconnect, with one of these reasons. */
async function assertGone(
  socket: Socket,
  reasons: readonly string[],
  go: () => Promise<unknown>,
): Promise<void> {
  const gone = next<[string]>(socket, "disconnect");
  await go();
  const [reason] = await gone;
  assert.ok(reasons.includes(reason), reason);
}

function declareClosed(browser: () => Browser, client: Client, way: Way, host: CellHost): void {
  it("disconnects at once when the tab closes", async () => {
    const { tab, socket } = await open(browser(), client, way, host);
    await assertGone(socket, withoutClose[way], () => tab.page.close());
  });
}

function declare(browser: () => Browser, client: Client, way: Way, host: CellHost): void {
  declareClosed(browser, client, way, host);

  if (isFull) {
    it("disconnects at once when the page crashes", async () => {
      const { tab, socket } = await open(browser(), client, way, host);
      await assertGone(socket, withoutClose[way], async () => {
        const crashed = new Promise((resolve) => tab.page.once("crash", resolve));
        tab.page.goto("chrome://crash").catch(() => {});
        await crashed;
      });
    });
  }

  for (const closeOnBeforeunload of closesOnBeforeunload(client)) {
    const options = { closeOnBeforeunload };
    const expected = closeOnBeforeunload ? withClose[way] : withoutClose[way];
    describe(closeOnBeforeunload ? "closing on beforeunload" : "not closing on beforeunload", () => {
      it("disconnects on a reload, without an event in the page, and connects with a new id", async () => {
        const { site, tab, socket } = await open(browser(), client, way, host, options);
        await tab.run(`lab.onDisconnect("/", () => sessionStorage.setItem("noticed", "yes"))`);
        await assertGone(socket, expected, () => tab.page.reload());
        assert.equal(await tab.run(`sessionStorage.getItem("noticed")`), null);
        await tab.at().connected(ways[way]);
        assert.notEqual((await site.sockets.next()).id, socket.id);
      });

      if (isFull) {
        it("disconnects when the page navigates away, and connects again when it comes back", async () => {
          const { site, tab, socket } = await open(browser(), client, way, host, options);
          await assertGone(socket, expected, () => tab.goto(site.url + ELSEWHERE));
          await tab.page.goBack();
          await tab.at().connected(ways[way]);
          assert.notEqual((await site.sockets.next()).id, socket.id);
        });
      }

      if (closeOnBeforeunload) {
        it("disconnects even if the user cancels closing the tab", async () => {
          const opened = await open(browser(), client, way, host, options);
          await assertGone(opened.socket, expected, () => stay(opened));
        });
      } else {
        it("stays connected if the user cancels closing the tab", async () => {
          const opened = await open(browser(), client, way, host, options);
          await stay(opened);
          assert.deepEqual(await opened.page.ask("echo", "still here"), ["still here"]);
          assert.equal((await opened.page.state()).id, opened.socket.id);
        });
      }
    });
  }
}

/** Closes the tab like a user who then cancels in the dialog of the page. */
async function stay({ tab }: Opened): Promise<void> {
  await tab.page.click("button");
  await tab.run(`addEventListener("beforeunload", (event) => event.preventDefault()), 0`);
  const asked = tab.page.waitForEvent("dialog");
  await tab.page.close({ runBeforeUnload: true });
  await (await asked).dismiss();
  // waits until the page continues after the dialog
  await tab.run("0");
}
