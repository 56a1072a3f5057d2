import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { PATIENCE } from "../../support/waiting/queue.ts";

/** A person in front of the chat: what they do, and what they can see. */
export class ChatPage {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** What the page complained about: exceptions, and breaches of its content security policy. */
  readonly errors: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.errors.push(message.text());
    });
  }

  /** Opens the chat in a profile of its own and goes in under a nickname. */
  static async enter(
    browser: Browser,
    url: string,
    nick: string,
    options?: BrowserContextOptions,
  ): Promise<ChatPage> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    const chat = new ChatPage(context, await context.newPage());
    await chat.page.goto(url);
    await chat.page.getByLabel("Nickname").fill(nick);
    await chat.page.getByRole("button", { name: "Enter the chat" }).click();
    const refusal = chat.page.locator("#door-error:not(:empty)");
    await chat.people(nick).or(refusal).waitFor();
    if (await refusal.isVisible()) {
      const reason = await refusal.innerText();
      await context.close();
      throw new Error(`Not let in: ${reason}`);
    }
    return chat;
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** Waits until the status line tells exactly this way of transports. */
  async transports(...names: string[]): Promise<void> {
    const trail = new RegExp(`^${names.join(" → ")}$`);
    await this.page.locator("#trail").filter({ hasText: trail }).waitFor();
  }

  async state(words: RegExp): Promise<void> {
    await this.page.locator("#state").filter({ hasText: words }).waitFor();
  }

  async write(text: string): Promise<void> {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
  }

  async say(text: string): Promise<void> {
    await this.write(text);
    await this.page.getByRole("button", { name: "Send" }).click();
  }

  /** The row of a message that is on the page. */
  message(text: string): Locator {
    return this.page.locator(".message").filter({ hasText: text });
  }

  /** The mark of one's own message, once it says this. */
  async marked(text: string, mark: "sent" | "delivered" | "waiting"): Promise<void> {
    await this.page.locator(`.message[data-state="${mark}"]`).filter({ hasText: text }).waitFor();
  }

  people(nick: string): Locator {
    return this.page.locator("#people li").filter({ hasText: nick });
  }

  room(name: string): Locator {
    return this.page.locator(`#rooms [data-room="${name}"]`);
  }

  async leave(): Promise<void> {
    const title = await this.text("room-title");
    await this.page.getByRole("button", { name: "Leave" }).click();
    await this.page.locator("#room-title").filter({ hasNotText: title }).waitFor();
  }

  async openRoom(name: string): Promise<void> {
    await this.page.getByLabel("Name of a new room").fill(name);
    await this.page.keyboard.press("Enter");
    await this.title(name);
  }

  async title(name: string): Promise<void> {
    await this.page
      .locator("#room-title")
      .filter({ hasText: `#${name}` })
      .waitFor();
  }

  async noWebSocket(): Promise<void> {
    await this.page.getByRole("switch", { name: "No WebSocket" }).check();
  }

  /** Opens the panel of the experiments. */
  async openExperiments(): Promise<void> {
    const button = this.page.getByRole("button", { name: "Experiments" });
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
    await this.page.locator("#read").filter({ hasText: /^\d+$/ }).waitFor();
  }

  /** Holds the requests by which the page connects again. Returns what lets them through. */
  async enterTunnel(): Promise<() => Promise<void>> {
    const requests = "**/socket.io/?*";
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    await this.page.route(requests, async (route) => {
      await ended;
      await route.continue();
    });
    return async () => {
      end();
      await this.page.unroute(requests);
    };
  }

  /** Cuts the connection. The page waits so many ms before it connects again. */
  async cut(away: number): Promise<void> {
    await this.page.evaluate(`document.getElementById("cut").dataset.away = "${away}"`);
    await this.page.getByRole("button", { name: "Cut it" }).click();
  }

  text(id: string): Promise<string> {
    return this.page.locator(`#${id}`).innerText();
  }
}
