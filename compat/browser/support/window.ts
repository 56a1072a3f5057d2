import { within } from "../../../test/support/waiting/queue.ts";
import { afterThisTest } from "../../support/after-test.ts";
import type { Browser } from "../../../test/support/browser/chromium.ts";
import type { Runner } from "./tab.ts";

type Session = Awaited<ReturnType<Browser["newBrowserCDPSession"]>>;

interface Reply {
  id?: number;
  result?: { result?: { value?: unknown }; exceptionDetails?: { text: string } };
  error?: { message: string };
}

/**
 * A window with one tab in front and the others hidden, as a user has it. Playwright keeps all its pages in front, so this
 * creates its own.
 */
export class BrowserWindow {
  readonly #session: Session;
  readonly #context: string;
  readonly #asked = new Map<number, (reply: Reply) => void>();
  #last = 0;

  private constructor(session: Session, context: string) {
    this.#session = session;
    this.#context = context;
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const reply = JSON.parse(message) as Reply;
      if (reply.id !== undefined) this.#asked.get(reply.id)?.(reply);
    });
  }

  /** Opens a window, which closes after the test. */
  static async open(browser: Browser): Promise<BrowserWindow> {
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send("Target.createBrowserContext");
    afterThisTest(async () => {
      await session.send("Target.disposeBrowserContext", { browserContextId });
      await session.detach();
    });
    return new BrowserWindow(session, browserContextId);
  }

  /** Opens a tab, in front of the others; resolves when its page is loaded. */
  async tab(url: string): Promise<WindowTab> {
    const browserContextId = this.#context;
    const { targetId } = await this.#session.send("Target.createTarget", { url, browserContextId });
    const { sessionId } = await this.#session.send("Target.attachToTarget", { targetId, flatten: false });
    const tab = new WindowTab(
      (method, params) => this.#ask(sessionId, method, params),
      () => this.#session.send("Target.activateTarget", { targetId }),
    );
    // the expression can run before the page is loaded
    while ((await tab.run("location.href + document.readyState")) !== `${url}complete`) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return tab;
  }

  async #ask(sessionId: string, method: string, params: object): Promise<Reply> {
    const id = ++this.#last;
    const message = JSON.stringify({ id, method, params });
    const replied = new Promise<Reply>((resolve) => this.#asked.set(id, resolve));
    await this.#session.send("Target.sendMessageToTarget", { sessionId, message });
    return within(replied, `an answer to ${method}`).finally(() => this.#asked.delete(id));
  }
}

/** A tab of a window. */
export class WindowTab implements Runner {
  readonly #ask: (method: string, params: object) => Promise<Reply>;
  readonly #activate: () => Promise<unknown>;

  constructor(ask: (method: string, params: object) => Promise<Reply>, activate: () => Promise<unknown>) {
    this.#ask = ask;
    this.#activate = activate;
  }

  async run(expression: string): Promise<unknown> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, error } = await this.#ask("Runtime.evaluate", options);
    if (error || result?.exceptionDetails) {
      throw new Error(error?.message ?? result?.exceptionDetails?.text ?? "no result");
    }
    return result?.result?.value;
  }

  /** Brings the tab to the front, which hides the others; resolves when it is visible. */
  async show(): Promise<void> {
    await this.#activate();
    await this.#visibility("visible");
  }

  /** Resolves when the tab is hidden. */
  hidden(): Promise<void> {
    return this.#visibility("hidden");
  }

  /** Freezes a hidden page, as browsers do to save power, or resumes it; resolves when it has happened. */
  async setFrozen(frozen: boolean): Promise<void> {
    const event = frozen ? "freeze" : "resume";
    await this.run(`document.addEventListener("${event}", () => (window.last = "${event}")), 0`);
    await this.#ask("Page.setWebLifecycleState", { state: frozen ? "frozen" : "active" });
    // a frozen page evaluates expressions, but resolves no promises
    while ((await this.run("window.last")) !== event) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #visibility(state: "visible" | "hidden"): Promise<void> {
    await this.run(`new Promise((resolve) => {
      const check = () => document.visibilityState === "${state}" && resolve();
      document.addEventListener("visibilitychange", check);
      check();
    })`);
  }
}
