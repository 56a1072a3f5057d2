import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describeWithChromium } from "../../test/support/browser/chromium.ts";
import { next } from "../../test/support/waiting/events.ts";
import type { ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { isFull } from "../support/cell.ts";
import type { CellHost } from "../support/restartable.ts";
import { onEachHost, wayNames, ways } from "./support/cells.ts";
import { msgpackClients } from "./support/clients.ts";
import { startSite } from "./support/site.ts";
import { inPage, Tab, type PageClient } from "./support/tab.ts";

type Parser = NonNullable<ServerOptions["parser"]>;

const parser: Parser = createRequire(import.meta.url)("socket.io-msgpack-parser");
const BYTES = Buffer.from([0, 1, 4, 0x1e, 0x7f, 0x80, 0xff]);

describeWithChromium("browser: the MessagePack parser", (browser) => {
  for (const client of msgpackClients) {
    for (const way of isFull ? wayNames : (["upgrade"] as const)) {
      onEachHost(client, way, "messages", (host) => {
        async function open(host: CellHost): Promise<{ page: PageClient; socket: Socket }> {
          const site = await startSite(host, client, { parser });
          const tab = await Tab.open(browser(), site.url, client);
          const page = await tab.at().connected({ ...ways[way], reconnection: false });
          return { page, socket: await site.sockets.next() };
        }

        it("exchanges events, acks and binary, also after an upgrade", async () => {
          const { page, socket } = await open(host);
          const heard = next(socket, "message");
          await page.emit("message", { deep: [inPage(BYTES)] }, "é 😀", null);
          assert.deepEqual(await heard, [{ deep: [BYTES] }, "é 😀", null]);
          if (way === "upgrade") await page.upgraded();
          assert.deepEqual(await page.ask("echo", 1, { two: [3] }), [1, { two: [3] }]);
          socket.emit("message", { deep: [BYTES] }, -1.5);
          const [{ deep }, number] = (await page.take("message")) as [{ deep: { hex: string }[] }, number];
          assert.equal(deep[0]?.hex, BYTES.toString("hex"));
          assert.equal(number, -1.5);
        });
      });
    }
  }
});
