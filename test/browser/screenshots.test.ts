import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions } from "playwright-core";
import { describeWithChromium } from "../support/browser/chromium.ts";
import { ChatPage } from "./support/chat-page.ts";
import { startChat, type ChatProcess } from "./support/chat-process.ts";
import { png } from "./support/png.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts", import.meta.url));

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const VIEWS: { name: string; nick: string; options: BrowserContextOptions }[] = [
  { name: "chat-desktop-light", nick: "Ines", options: { viewport: DESKTOP, colorScheme: "light" } },
  { name: "chat-desktop-dark", nick: "Ines", options: { viewport: DESKTOP, colorScheme: "dark" } },
  { name: "chat-phone-light", nick: "Ines", options: { viewport: PHONE, colorScheme: "light" } },
  { name: "chat-phone-dark", nick: "Ines", options: { viewport: PHONE, colorScheme: "dark" } },
];

/** A size and a theme of each kind; `CHAT_SCREENS=all` draws every combination. */
const views = process.env["CHAT_SCREENS"] === "all" ? VIEWS : [VIEWS[0]!, VIEWS[3]!];

describeWithChromium("screenshots of the chat, in artifacts/", (browser) => {
  let chat: ChatProcess | undefined;
  let tomas: ChatPage | undefined;
  const url = (): string => `http://127.0.0.1:${chat!.port}/#engineering`;

  before(async () => {
    await mkdir(ARTIFACTS, { recursive: true });
    chat = await startChat("uws");
    tomas = await ChatPage.enter(browser(), url(), "Tomás");
  });
  after(async () => {
    await tomas?.close();
    await chat?.stop();
  });

  it("has no part wider than a phone of 360 pixels", async () => {
    const page = await ChatPage.enter(browser(), url(), "Wide", { viewport: PHONE });
    const wider = await page.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    await page.close();
    if (wider !== 0) throw new Error(`The page is ${String(wider)} pixels too wide`);
  });

  it("the door", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser().newContext({ viewport: DESKTOP, colorScheme });
      const page = await context.newPage();
      await page.goto(url());
      await page.screenshot({ path: join(ARTIFACTS, `chat-door-${colorScheme}.png`) });
      await context.close();
    }
  });

  for (const { name, nick, options } of views) {
    it(name, async () => {
      const me = await ChatPage.enter(browser(), url(), nick, options);
      await me.transports("polling", "websocket");
      await talk(tomas!, me);
      await tomas!.write("I will ");
      await me.page.getByText("Tomás is typing").waitFor();
      await me.page.screenshot({ path: join(ARTIFACTS, `${name}.png`) });
      await tomas!.write("");
      await me.close();
    });
  }

  for (const { name, nick, options } of views) {
    it(name.replace("chat", "chat-experiments"), async () => {
      const me = await ChatPage.enter(browser(), url(), nick, options);
      await me.transports("polling", "websocket");
      await me.openExperiments();
      await me.cut(100);
      await me.page.getByText("Recovered").waitFor();
      await me.page.getByRole("switch", { name: "Conflate" }).uncheck();
      await me.page.getByRole("button", { name: "Stop reading" }).click();
      await me.page
        .locator("#waiting")
        .filter({ hasText: /^\d{2,} kB$/ })
        .waitFor();
      await me.page.screenshot({ path: join(ARTIFACTS, `${name.replace("chat", "chat-experiments")}.png`) });
      await me.close();
    });
  }

  it("chat-reconnecting", async () => {
    const me = await ChatPage.enter(browser(), url(), "Ines", { viewport: DESKTOP });
    await me.transports("polling", "websocket");
    await chat!.stop();
    await me.state(/^Reconnecting/);
    await me.say("Is anybody still there?");
    await me.marked("Is anybody still there?", "waiting");
    await me.page.screenshot({ path: join(ARTIFACTS, "chat-reconnecting.png") });
    await me.close();
  });
});

/** A short conversation in a room of its own, with all that a message can carry. */
async function talk(tomas: ChatPage, me: ChatPage): Promise<void> {
  const room = `tide-${Math.random().toString(36).slice(2, 6)}`;
  await tomas.leave();
  await tomas.openRoom(room);
  await me.openRoom(room);
  await tomas.people("Ines").waitFor();
  const lines: [ChatPage, string][] = [
    [tomas, "The new gauge at the pier is online. It reports every six seconds."],
    [tomas, "First curve is below, from last night."],
    [me, "Nice. Does it keep reporting when the network at the harbour drops WebSocket?"],
    [tomas, "It does: it stays on long-polling then. Look at the line at the bottom of this page."],
  ];
  for (const [who, line] of lines.slice(0, 2)) await who.say(line);
  await tomas.page.getByLabel("Add an image").setInputFiles({
    name: "gauge-pier-4.png",
    mimeType: "image/png",
    buffer: curve(),
  });
  await tomas.page.getByText("gauge-pier-4.png").waitFor();
  await tomas.page.getByRole("button", { name: "Send" }).click();
  await me.page.getByRole("img", { name: "gauge-pier-4.png, from Tomás" }).waitFor();
  for (const [who, line] of lines.slice(2)) await who.say(line);
  await me.message("at the bottom of this page").waitFor();
  await me.say("Good. Then I will add the other three tomorrow morning.");
  await me.marked("the other three", "delivered");
}

function curve(): Buffer {
  return png(420, 150, (x, y) => {
    const level = 75 + 38 * Math.sin(x / 48) + 14 * Math.sin(x / 19 + 1);
    if (Math.abs(y - level) < 1.6) return [233, 245, 245];
    return y > level ? [11, 106 - Math.round((y - level) / 3), 122] : [214, 230, 234];
  });
}
