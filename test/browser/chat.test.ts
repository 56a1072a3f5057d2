import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describeWithChromium } from "../support/browser/chromium.ts";
import { ChatPage } from "./support/chat-page.ts";
import { freePort } from "../support/hosts/free-port.ts";
import { startChat, type ChatHost, type ChatProcess, type Ended } from "./support/chat-process.ts";
import { noisePng } from "./support/png.ts";
import { startRefusingProxy, type Refusal, type RefusingProxy } from "../support/proxies/refusing.ts";

const HOSTS: { host: ChatHost; name: string }[] = [
  { host: "uws", name: "uWebSockets.js" },
  { host: "node", name: "node:http" },
];
const ID = /^[\w-]{20}$/;

function assertEndedWell({ code, signal, stderr }: Ended): void {
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
}

describeWithChromium("the chat in two Chromium pages", (browser) => {
  for (const { host, name } of HOSTS) {
    describe(`on ${name}`, () => {
      let chat: ChatProcess;
      /** Two people who stay for the whole suite; each test meets them in a room of its own. */
      let ann: ChatPage;
      let bo: ChatPage;
      let guests: ChatPage[] = [];
      let rooms = 0;

      before(async () => {
        // Not 0: uWebSockets.js sets SO_REUSEADDR on a fixed port only, and without it a restart finds the port taken.
        chat = await startChat(host, await freePort());
        assert.equal(chat.host, name);
        [ann, bo] = await Promise.all([open("Ann"), open("Bo")]);
      });
      after(async () => {
        await Promise.all([ann?.close(), bo?.close()]);
        if (chat) assertEndedWell(await chat.stop());
      });
      afterEach(async () => {
        const errors = [ann, bo, ...guests].flatMap((page) => page.errors.splice(0));
        await Promise.all(guests.map((page) => page.close()));
        guests = [];
        assert.deepEqual(errors, []);
      });

      function open(
        nick: string,
        port: number = chat.port,
        room: string = nick.toLowerCase(),
      ): Promise<ChatPage> {
        return ChatPage.enter(browser(), `http://127.0.0.1:${port}/#${room}`, nick);
      }

      /** Opens a page for this test alone. */
      async function guest(nick: string, port?: number, room?: string): Promise<ChatPage> {
        const page = await open(nick, port, room);
        guests.push(page);
        return page;
      }

      /** Opens two pages for this test alone, in a room of their own. */
      async function twoGuests(port?: number): Promise<[ChatPage, ChatPage]> {
        const room = `guests-${++rooms}`;
        return Promise.all([guest("Cleo", port, room), guest("Dag", port, room)]);
      }

      async function meet(): Promise<void> {
        const room = `meeting-${++rooms}`;
        await Promise.all([ann, bo].map((page) => page.leave()));
        await Promise.all([ann, bo].map((page) => page.openRoom(room)));
        await Promise.all([ann.people("Bo").waitFor(), bo.people("Ann").waitFor()]);
      }

      async function chatBothWays(one: ChatPage, other: ChatPage): Promise<void> {
        await one.say("there");
        await other.message("there").waitFor();
        await other.say("and back");
        await one.message("and back").waitFor();
        await Promise.all([one.marked("there", "delivered"), other.marked("and back", "delivered")]);
      }

      it("starts with long-polling and upgrades to WebSocket", async () => {
        await Promise.all([ann.transports("polling", "websocket"), bo.transports("polling", "websocket")]);
      });

      it("shows the session id, the socket id and the round-trip time", async () => {
        await ann.state(/^Connected$/);
        assert.match(await ann.text("sid"), ID);
        assert.match(await ann.text("socket-id"), ID);
        assert.notEqual(await ann.text("sid"), await ann.text("socket-id"));
        await ann.page
          .locator("#rtt")
          .filter({ hasText: /^[\d.]+ ms$/ })
          .waitFor();
      });

      it("carries messages both ways and marks them as delivered", async () => {
        await meet();
        await chatBothWays(ann, bo);
        assert.equal(await ann.message("there").locator(".mark").innerText(), "✓✓");
      });

      it("marks a message without other receivers as received by the server", async () => {
        await ann.openRoom("cabin");
        await ann.say("anybody here?");
        await ann.marked("anybody here?", "sent");
        assert.equal(await ann.message("anybody here?").locator(".mark").innerText(), "✓");
      });

      it("shows text as text, never as markup", async () => {
        await meet();
        await ann.say("<img src=x onerror=alert(1)> & <b>bold</b>");
        const row = bo.message("<img src=x onerror=alert(1)> & <b>bold</b>");
        await row.waitFor();
        assert.equal(await row.locator("img, b").count(), 0);
      });

      it("shows the other page who is typing, and when they stop", async () => {
        await meet();
        await ann.write("Well, ");
        await bo.page.getByText("Ann is typing").waitFor();
        await ann.write("");
        await bo.page.getByText("Ann is typing").waitFor({ state: "detached" });
      });

      it("transfers an image byte for byte", async () => {
        const buffer = noisePng(320, 320);
        await meet();
        await ann.page
          .getByLabel("Add an image")
          .setInputFiles({ name: "noise.png", mimeType: "image/png", buffer });
        await ann.page.getByText("noise.png, 308 kB").waitFor();
        await ann.say("look");

        await bo.message("look").getByRole("img", { name: "noise.png, from Ann" }).waitFor();
        const [download] = await Promise.all([
          bo.page.waitForEvent("download"),
          bo.message("look").getByRole("link", { name: "noise.png" }).click(),
        ]);
        assert.ok((await readFile(await download.path())).equals(buffer));
        await ann.marked("look", "delivered");
      });

      it("refuses a file that is not the image it claims to be", async () => {
        const buffer = Buffer.from("<svg onload=alert(1)>");
        await meet();
        await ann.page
          .getByLabel("Add an image")
          .setInputFiles({ name: "page.png", mimeType: "image/png", buffer });
        await ann.say("harmless");
        await ann.page.getByText("The file is not the image it says it is.").waitFor();
      });

      it("keeps the messages of one room out of another", async () => {
        await meet();
        await ann.say("soup is ready");
        await bo.message("soup is ready").waitFor();
        await bo.openRoom("deck");
        await ann.say("soup is cold");
        await bo.page.locator("#rooms").getByTitle("unread messages").waitFor();
        assert.equal(await bo.message("soup").count(), 0);
        await bo.leave();
      });

      it("shows who joins and who leaves", async () => {
        await meet();
        await bo.leave();
        await ann.people("Bo").waitFor({ state: "detached" });
        assert.equal(await ann.text("room-count"), "only you");
      });

      it("shows earlier messages to a newcomer", async () => {
        await ann.openRoom("logbook");
        await ann.say("wind from the west");
        await ann.marked("wind from the west", "sent");
        await bo.room("logbook").click();
        await bo.message("wind from the west").waitFor();
      });

      it("says why a nickname is refused", async () => {
        await assert.rejects(open("A name that is a good deal too long"), /At most 24 characters\./);
      });

      it('chats over long-polling alone after the switch "No WebSocket"', async () => {
        const [cleo, dag] = await twoGuests();
        await Promise.all([cleo.transports("polling", "websocket"), dag.transports("polling", "websocket")]);
        await Promise.all([cleo.noWebSocket(), dag.noWebSocket()]);
        await Promise.all([cleo.transports("polling"), dag.transports("polling")]);
        await Promise.all([cleo.people("Dag").waitFor(), dag.people("Cleo").waitFor()]);
        await chatBothWays(cleo, dag);
        await Promise.all([cleo.transports("polling"), dag.transports("polling")]);
      });

      it('remembers the switch "No WebSocket"', async () => {
        const cleo = await guest("Cleo");
        await cleo.noWebSocket();
        assert.match(cleo.page.url(), /\?transport=polling#cleo$/);
        await cleo.page.goto(`http://127.0.0.1:${chat.port}/`);
        await cleo.transports("polling");
        assert.equal(await cleo.page.getByRole("switch", { name: "No WebSocket" }).isChecked(), true);
      });

      it("recovers its session after a cut, with the message that it missed", async () => {
        await meet();
        const socketId = await ann.text("socket-id");
        await ann.openExperiments();
        const arrive = await ann.enterTunnel();
        await ann.cut(100);
        await ann.state(/^Reconnecting: this page cut it$/);
        await bo.say("into the tunnel");
        await bo.marked("into the tunnel", "sent");
        await arrive();
        await ann.message("into the tunnel").waitFor();
        const outcome = "Recovered: the same socket, its rooms, and 1 message that it missed.";
        await ann.page.getByText(outcome).waitFor();
        await bo.marked("into the tunnel", "delivered");
        assert.equal(await ann.text("socket-id"), socketId);
        await Promise.all([ann.people("Bo").waitFor(), bo.people("Ann").waitFor()]);
        await ann.page.getByRole("button", { name: "Close" }).click();
      });

      it("shows what waits in the server for a connection that stops reading", async () => {
        const { page } = ann;
        await ann.openExperiments();
        await page.getByRole("button", { name: "Stop reading" }).click();
        await page
          .locator("#waiting")
          .filter({ hasText: /^[2-6] kB$/ })
          .waitFor();
        await page.getByRole("switch", { name: "Conflate" }).uncheck();
        await page
          .locator("#waiting")
          .filter({ hasText: /^\d\d kB$/ })
          .waitFor();
        const read = Number(await ann.text("read"));
        await page.getByRole("button", { name: "Read again" }).click();
        await page
          .locator("#waiting")
          .filter({ hasText: /^(nothing|\d kB)$/ })
          .waitFor();
        await page.waitForFunction(`Number(document.getElementById("read").textContent) > ${read}`);
        await page.getByRole("switch", { name: "Conflate" }).check();
        await page.getByRole("button", { name: "Close" }).click();
      });

      it("reconnects after a restart of the server, into its rooms and with the messages written meanwhile", async () => {
        await meet();
        const socketId = await ann.text("socket-id");
        assertEndedWell(await chat.stop());
        await Promise.all([ann.state(/^Reconnecting/), bo.state(/^Reconnecting/)]);
        await ann.say("written in between");
        await ann.marked("written in between", "waiting");

        chat = await startChat(host, chat.port);
        await Promise.all([ann.state(/^Connected$/), bo.state(/^Connected$/)]);
        await bo.message("written in between").waitFor();
        await ann.people("Bo").waitFor();
        await ann.say("and after");
        await bo.message("and after").waitFor();
        await ann.marked("and after", "delivered");
        assert.equal(await bo.message("written in between").count(), 1);
        assert.notEqual(await ann.text("socket-id"), socketId);
      });

      for (const refusal of ["403", "cut"] satisfies Refusal[]) {
        const how = refusal === "403" ? "answers 403 to" : "cuts";
        describe(`behind a proxy that ${how} WebSocket upgrades`, () => {
          let proxy: RefusingProxy;
          before(async () => {
            proxy = await startRefusingProxy(chat.port, refusal);
          });
          after(() => proxy.close());

          it("stays on long-polling and chats", async () => {
            const [cleo, dag] = await twoGuests(proxy.port);
            await Promise.all([cleo.people("Dag").waitFor(), dag.people("Cleo").waitFor()]);
            await chatBothWays(cleo, dag);
            assert.ok(proxy.refused >= 2, "both pages tried");
            await Promise.all([cleo.transports("polling"), dag.transports("polling")]);
          });
        });
      }
    });
  }
});
