import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Page,
} from "../../../test/support/browser/chromium.ts";
import { within } from "../../../test/support/waiting/queue.ts";
import { afterThisTest } from "../../support/after-test.ts";
import type { Client } from "./clients.ts";
import { pagePath } from "./site.ts";

/** The timeout of each step in a page, in milliseconds; long enough for a busy machine. */
const PATIENCE = 15_000;

/** Binary data in the page: its class and its bytes. */
export interface PageBytes {
  $: "ArrayBuffer" | "Uint8Array" | "DataView" | "Blob" | "File";
  hex: string;
}

/** Binary data that the page sends or has received. */
export function inPage(bytes: Uint8Array, kind: PageBytes["$"] = "ArrayBuffer"): PageBytes {
  return { $: kind, hex: Buffer.from(bytes).toString("hex") };
}

export interface PageState {
  id: string;
  connected: boolean;
  recovered: boolean | undefined;
  transport: string;
}

/** Evaluates expressions in a page. */
export interface Runner {
  run(expression: string): Promise<unknown>;
}

/** The official client of one namespace, in a page. */
export class PageClient {
  readonly tab: Runner;
  readonly namespace: string;

  constructor(tab: Runner, namespace: string = "/") {
    this.tab = tab;
    this.namespace = namespace;
  }

  /** Opens the client; by default, it connects to the page's own origin. */
  async open(options: object = {}, url = ""): Promise<void> {
    await this.#call("open", url, options);
  }

  /** Opens the client and waits until it is connected. */
  async connected(options: object = {}, url = ""): Promise<this> {
    await this.open(options, url);
    await this.take("connect");
    return this;
  }

  emit(event: string, ...args: unknown[]): Promise<void> {
    return this.#call("emit", event, args) as Promise<void>;
  }

  /** Resolves with the arguments of the acknowledgement. */
  ask(event: string, ...args: unknown[]): Promise<unknown[]> {
    return this.#call("ask", event, args) as Promise<unknown[]>;
  }

  /** Takes the oldest event of this name that was not taken yet, and resolves with its arguments. */
  take(event: string): Promise<unknown[]> {
    return this.#call("take", event) as Promise<unknown[]>;
  }

  /** Resolves with all events that were not taken yet, each with its name. */
  told(): Promise<unknown[][]> {
    return this.#call("told") as Promise<unknown[][]>;
  }

  state(): Promise<PageState> {
    return this.#call("state") as Promise<PageState>;
  }

  /** Waits until the upgrade is complete. */
  upgraded(): Promise<void> {
    return this.#call("upgraded") as Promise<void>;
  }

  close(): Promise<void> {
    return this.#call("close") as Promise<void>;
  }

  connect(): Promise<void> {
    return this.#call("connect") as Promise<void>;
  }

  /** Breaks the client's connection, as a network failure does. */
  lose(): Promise<void> {
    return this.#call("lose") as Promise<void>;
  }

  #call(method: string, ...args: unknown[]): Promise<unknown> {
    const given = [this.namespace, ...args].map((arg) => JSON.stringify(arg)).join(", ");
    return this.tab.run(`lab.${method}(${given})`);
  }
}

/** A page in its own profile, which closes after the test. */
export class Tab {
  readonly page: Page;
  readonly context: BrowserContext;

  constructor(page: Page) {
    this.page = page;
    this.context = page.context();
  }

  /** Opens the page that has this client; `script` runs in it before anything else. */
  static async open(
    browser: Browser,
    origin: string,
    client: Client,
    { script, ...options }: BrowserContextOptions & { script?: string } = {},
  ): Promise<Tab> {
    const context = await browser.newContext(options);
    afterThisTest(() => within(context.close(), "a profile to close", PATIENCE));
    if (script !== undefined) await context.addInitScript(script);
    const tab = new Tab(await context.newPage());
    await tab.goto(origin + pagePath(client));
    return tab;
  }

  async goto(url: string): Promise<void> {
    await this.page.goto(url, { timeout: PATIENCE });
  }

  /** The client of a namespace, not open yet. */
  at(namespace = "/"): PageClient {
    return new PageClient(this, namespace);
  }

  /** Evaluates an expression in the page. */
  run(expression: string): Promise<unknown> {
    return within(this.page.evaluate(expression), `the page: ${expression.slice(0, 80)}`, PATIENCE);
  }
}
