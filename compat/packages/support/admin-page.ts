// Serves the page of the admin package, and operates it in Chromium like a user.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Browser, Page } from "../../../test/support/browser/chromium.ts";
import { PATIENCE } from "../../../test/support/waiting/queue.ts";
import { application } from "./application.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** The server of the page. */
export interface Site {
  readonly origin: string;
  close(): void;
}

/** Serves the files of the page. */
export async function serveAdminPage(): Promise<Site> {
  const folder = join(await application(), "node_modules/@socket.io/admin-ui/ui/dist");
  const server = createServer((request, response) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "/");
    readFile(join(folder, path)).then(
      (file) => response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(file),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() };
}

/** The page in its own browser context. */
export class AdminPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page; blocks requests to other machines. */
  static async open(browser: Browser, origin: string): Promise<AdminPage> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    context.setDefaultTimeout(PATIENCE);
    await context.route(
      ({ hostname }) => hostname !== "127.0.0.1",
      (route) => route.abort(),
    );
    const page = await context.newPage();
    await page.goto(origin);
    return new AdminPage(page);
  }

  /** Fills in and submits the connection form. */
  async connect(url: string, password: string): Promise<void> {
    await this.page.getByLabel("Server URL").fill(url);
    await this.page.getByLabel("Username").fill("admin");
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Connect", exact: true }).click();
  }

  /** Opens a part of the page with its menu. */
  async goTo(part: "Dashboard" | "Sockets" | "Rooms" | "Events" | "Servers"): Promise<void> {
    await this.page.getByRole("link", { name: part, exact: true }).first().click();
  }

  /** Chooses the namespace that the part shows. */
  async choose(namespace: string): Promise<void> {
    await this.page.getByRole("button", { name: "Select namespace" }).click();
    await this.page.getByRole("option", { name: namespace, exact: true }).click();
  }

  /** The table rows that contain the text. */
  row(text: string): ReturnType<Page["locator"]> {
    return this.page.locator("main tbody tr", { hasText: text });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
