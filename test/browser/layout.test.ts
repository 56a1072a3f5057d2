import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeWithChromium } from "../support/browser/chromium.ts";
import { ChatPage } from "./support/chat-page.ts";
import { freePort } from "../support/hosts/free-port.ts";
import { startChat, type ChatProcess } from "./support/chat-process.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts", import.meta.url));
const NEWEST = "the newest of all";

interface Size {
  width: number;
  height: number;
}

const DESKTOP = { width: 1200, height: 760 };
const PHONE = { width: 390, height: 740 };
/** As much of a phone as its keyboard leaves. */
const KEYBOARD_OPEN = { width: 390, height: 360 };
const SIZES: Size[] = [
  { width: 320, height: 568 },
  { width: 320, height: 320 },
  PHONE,
  KEYBOARD_OPEN,
  { width: 740, height: 360 },
  { width: 704, height: 800 },
  { width: 705, height: 800 },
  { width: 900, height: 700 },
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
];

/** Says which of these parts are not, whole and uncovered, where a person can see them. */
const HIDDEN = `(ids) => ids.filter((selector) => {
  const part = [...document.querySelectorAll(selector)].at(-1);
  const { left, top, right, bottom, width, height } = part.getBoundingClientRect();
  if (width === 0 || left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) return true;
  const points = [[left + width / 2, top + 2], [left + width / 2, bottom - 2]];
  return !points.every(([x, y]) => part.contains(document.elementFromPoint(x, y)));
})`;

/** Says which of these parts show an ellipsis in place of their end. */
const CUT = `(ids) => ids.filter((selector) => {
  const part = document.querySelector(selector);
  return part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight + 1;
})`;

const SCROLL_UP = `new Promise((done) => {
  const view = document.getElementById("scroll");
  view.addEventListener("scroll", () => done(), { once: true });
  view.scrollTop = 0;
})`;

async function hidden({ page }: ChatPage, ...selectors: string[]): Promise<unknown> {
  return page.evaluate(`(${HIDDEN})(${JSON.stringify(selectors)})`);
}

describeWithChromium("the layout of the chat", (browser) => {
  let chat: ChatProcess;
  let other: ChatPage;
  let me: ChatPage;

  before(async () => {
    await mkdir(ARTIFACTS, { recursive: true });
    chat = await startChat("uws");
    const url = `http://127.0.0.1:${chat.port}/#tide`;
    other = await ChatPage.enter(browser(), url, "Tomás");
    me = await ChatPage.enter(browser(), url, "Ines");
    await me.transports("polling", "websocket");
    for (let n = 1; n <= 20; n++) await other.say(`Message ${n} of many that are already here`);
    await other.say(NEWEST);
    await me.message(NEWEST).waitFor();
  });
  after(async () => {
    await Promise.all([me?.close(), other?.close()]);
    await chat?.stop();
  });

  for (const size of SIZES) {
    const name = `${size.width}x${size.height}`;
    const isPhone = size.width <= 704;

    describe(`at ${name}`, () => {
      before(async () => {
        await me.page.setViewportSize(isPhone ? PHONE : { width: size.width, height: 900 });
        await me.page.getByLabel("Message", { exact: true }).focus();
        // What opens the keyboard of a phone changes the height alone.
        await me.page.setViewportSize(size);
        await me.page.screenshot({ path: join(ARTIFACTS, `chat-${name}.png`) });
      });

      it("shows the newest message, the field and the button", async () => {
        const parts = [".message .text", "#text", "#send", "#room-title", "#state"];
        assert.deepEqual(await hidden(me, ...parts), []);
      });

      it("leaves a third of the height to messages", async () => {
        const height = Number(await me.page.evaluate("document.getElementById('scroll').clientHeight"));
        assert.ok(height >= size.height / 3, `${height} of ${size.height} pixels`);
      });

      it("marks the current room in the list", async () => {
        assert.deepEqual(await hidden(me, "#rooms [aria-current] .name"), []);
      });

      it("is not wider than the window", async () => {
        assert.equal(await me.page.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
      });

      it("shows all transports and the round-trip time", async () => {
        assert.deepEqual(await hidden(me, "#trail", "#rtt"), []);
        assert.deepEqual(await me.page.evaluate(`(${CUT})(["#trail", "#rtt"])`), []);
      });

      it("shows the number of users", async () => {
        assert.deepEqual(await hidden(me, "#room-count"), []);
        assert.equal(await me.text("room-count"), "2 here");
      });

      if (size.height >= 560) {
        it("shows who is here", async () => {
          assert.deepEqual(await hidden(me, "#people li:first-child .name"), []);
          if (!isPhone) assert.deepEqual(await hidden(me, "#here-title"), []);
        });
      }
    });
  }

  describe("while reading earlier messages", () => {
    it("stays there when the keyboard opens", async () => {
      await me.page.setViewportSize(PHONE);
      // A screenshot waits until the page is drawn in its new size.
      await me.page.screenshot();
      await me.page.evaluate(SCROLL_UP);
      await me.page.setViewportSize(KEYBOARD_OPEN);
      await me.page.screenshot();
      assert.equal(await me.page.evaluate("document.getElementById('scroll').scrollTop"), 0);
    });
  });
});

describeWithChromium("the chat without a connection", (browser) => {
  let chat: ChatProcess;
  let me: ChatPage;
  let other: ChatPage;

  before(async () => {
    await mkdir(ARTIFACTS, { recursive: true });
    // A fixed port, since the chat starts again on it.
    chat = await startChat("uws", await freePort());
    const url = `http://127.0.0.1:${chat.port}/#tide`;
    other = await ChatPage.enter(browser(), url, "Tomás");
    me = await ChatPage.enter(browser(), url, "Ines", { viewport: DESKTOP });
    await me.people("Tomás").waitFor();
    await other.write("I am about to ");
    await me.page.getByText("Tomás is typing").waitFor();
    await chat.stop();
    await me.state(/^Reconnecting/);
  });
  after(async () => {
    await Promise.all([me?.close(), other?.close()]);
  });

  it("says so in plain words, with the protocol's term as a title", async () => {
    await me.state(/^Reconnecting: the server does not answer$/);
    assert.equal(await me.page.locator("#state").getAttribute("title"), "xhr poll error");
  });

  it("does not claim to know who is here", async () => {
    assert.equal(await me.text("here-title"), "Last seen here");
    assert.equal(await me.text("room-count"), "not connected");
    await me.page.screenshot({ path: join(ARTIFACTS, "chat-offline-1200.png") });
    assert.equal(await me.page.locator("#rooms small").count(), 0);
  });

  it("does not show who was typing", async () => {
    assert.equal(await me.text("typing"), "");
  });

  it("says that the device is offline when the browser reports it", async () => {
    await me.page.context().setOffline(true);
    await me.state(/^Reconnecting: this device is offline$/);
    await me.page.setViewportSize(KEYBOARD_OPEN);
    await me.page.screenshot({ path: join(ARTIFACTS, "chat-offline-390x360.png") });
    await me.page.setViewportSize(PHONE);
    await me.page.screenshot({ path: join(ARTIFACTS, "chat-offline-390x740.png") });
    await me.page.context().setOffline(false);
    await me.page.setViewportSize(DESKTOP);
  });

  it("shows who is here again after a restart", async () => {
    chat = await startChat("uws", chat.port);
    try {
      await me.state(/^Connected$/);
      await me.page.locator("#here-title").filter({ hasText: "Here now" }).waitFor();
      await me.page
        .locator("#room-count")
        .filter({ hasText: /only you|2 here/ })
        .waitFor();
    } finally {
      await chat.stop();
    }
  });
});
